"""`orienta graph`: draws the agents' graphs, and keeps the README's drawings up to date."""

from pathlib import Path
from typing import Annotated

import typer

from crm.errors import NotFound

BEGIN, END = "<!-- drawn by `orienta graph` -->", "<!-- end of the drawings -->"


def graph(
    write: Annotated[
        Path | None, typer.Option(help="Put the drawings between this file's marks.")
    ] = None,
) -> None:
    """Draw the supervisor's graph and every agent's, as Mermaid."""
    from agents.drawing import draw_graphs

    if write is None:
        typer.echo(draw_graphs())
        return
    text = write.read_text(encoding="utf-8")
    write.write_text(with_drawings(text, draw_graphs()), encoding="utf-8")
    typer.echo(f"{write} holds the graphs as they are")


def with_drawings(text: str, drawn: str) -> str:
    """Return a text with the drawings between its marks.

    Raises: NotFound("graph.marks"): it has none.
    """
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise NotFound("graph.marks", f"The file has no place for drawings: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{drawn}\n\n{END}{after}"
