"""The README draws the agents' graphs as they are compiled."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.drawing import draw_graphs
from agents.supervisor.table import AGENTS
from api.cli import build
from api.commands.graph import BEGIN, END, with_drawings
from crm.errors import NotFound

README = Path(__file__).parents[3] / "README.md"


def test_readme_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_drawings(text, draw_graphs()) == text, "run: orienta graph --write README.md"


def test_every_agent_is_drawn_on_less_than_a_screen() -> None:
    drawings = draw_graphs().split("```mermaid\n")[1:]
    assert len(drawings) == len(AGENTS) + 2  # the supervisor, and the one that scores leads
    assert all(len(drawing.splitlines()) < 40 for drawing in drawings)
    assert all(name in draw_graphs() for name in AGENTS)


def test_command_prints_and_writes(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"Before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    printed = CliRunner().invoke(build(["graph"]), ["graph"])
    written = CliRunner().invoke(build(["graph"]), ["graph", "--write", str(file)])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert "guard_input --> resolve;" in printed.stdout
    kept = file.read_text(encoding="utf-8")
    assert kept == f"Before\n{BEGIN}\n\n{draw_graphs()}\n\n{END}\nafter\n"


def test_file_without_marks_is_left_alone() -> None:
    with pytest.raises(NotFound):
        with_drawings("nothing", "drawn")
