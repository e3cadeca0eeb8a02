"""The blocks that a document of any format is read into."""

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["heading", "text", "item", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document that stands alone on the page, as plain text.

    Args:
        level: of a heading, 1 to 6; of a list item, how deep it is nested, from 0.
        anchor: of a heading, its id on the page.
    """

    kind: BlockKind
    text: str
    level: int = 0
    anchor: str = ""


def table_text(rows: list[list[str]]) -> str:
    """Write a table as one line a row, cells between bars."""
    return "\n".join(f"| {' | '.join(' '.join(c.split()) for c in row)} |" for row in rows if row)
