"""The layout of a page: words into lines, columns in reading order, margins left out."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

Word = Mapping[str, Any]

#: How many lines must stand on both sides of a gutter before it parts columns.
_MIN_ROWS = 6
_MARGIN = 0.08
#: A line of a table of contents: what it leads to says it better.
_LEADER = re.compile(r"(?:\s?[.…]){5,}\s*(?:\d+|[ivxlc]+)?\s*$")
_NO_LETTER = re.compile(r"\(cid:\d+\)")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or a table.

    Args:
        top: distance from the page's upper edge, in points.
        height: of the page; 0 until it is known.
    """

    top: float
    bottom: float
    text: str = ""
    size: float = 0.0
    bold: bool = False
    rows: tuple[tuple[str, ...], ...] = ()
    height: float = 0.0

    def on_page(self, height: float) -> "Line":
        """Return the line with the height of its page."""
        return replace(self, height=height)


def reading_order(words: Sequence[Word], width: float) -> list[Line]:
    """Return the lines of a page, those of the left column before those of the right one."""
    rows = _rows(words)
    gutter = _gutter(rows, width)
    if gutter is None:
        return [_line(row) for row in rows]
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for row in rows:
        if any(w["x0"] < gutter < w["x1"] for w in row):
            ordered += [*left, *right, _line(row)]
            left, right = [], []
            continue
        sides = [w for w in row if w["x1"] <= gutter], [w for w in row if w["x0"] >= gutter]
        left += [_line(sides[0])] if sides[0] else []
        right += [_line(sides[1])] if sides[1] else []
    return [*ordered, *left, *right]


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """Group words that stand on one line."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (w["bottom"], w["x0"])):
        if rows and abs(word["bottom"] - rows[-1][-1]["bottom"]) <= 0.35 * word["size"] + 0.5:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda w: w["x0"]) for row in rows]


def _gutter(rows: Sequence[Sequence[Word]], width: float) -> float | None:
    """Return where columns part, if nearly every line leaves the same place free."""
    best: tuple[int, float] | None = None
    for step in range(35, 66):
        x = width * step / 100
        crossed = sum(any(w["x0"] - 4 < x < w["x1"] + 4 for w in row) for row in rows)
        both = sum(row[0]["x1"] < x < row[-1]["x0"] for row in rows)
        if both >= _MIN_ROWS and crossed <= 0.25 * len(rows) and (best is None or both > best[0]):
            best = both, x
    return best[1] if best else None


def _line(row: Sequence[Word]) -> Line:
    return Line(
        top=min(w["top"] for w in row),
        bottom=max(w["bottom"] for w in row),
        text=" ".join(_NO_LETTER.sub("", " ".join(w["text"] for w in row)).split()),
        size=median(w["size"] for w in row),
        bold=all("bold" in str(w["fontname"]).lower() for w in row),
    )


def without_margins(pages: Sequence[Sequence[Line]]) -> list[Line]:
    """Leave out what is repeated at the edges of most pages, page numbers and contents."""
    repeated = Counter(key for page in pages for key in {_key(x) for x in page if _at_edge(x)})
    least = max(2, len(pages) // 2)
    return [
        line
        for page in pages
        for line in page
        if not _LEADER.search(line.text)
        and not (_at_edge(line) and (repeated[_key(line)] >= least or _is_number(line)))
    ]


def _key(line: Line) -> str:
    return _NUMBERS.sub("#", line.text.casefold())


def _is_number(line: Line) -> bool:
    bare = re.sub(r"(?:p[aá]gina|page|p[aá]g\.?|de|of|[\s/–-])", "", line.text.casefold())
    return bool(line.text) and (not bare or bare.isdigit())


def _at_edge(line: Line) -> bool:
    if not line.height or line.rows:
        return False
    return line.bottom < _MARGIN * line.height or line.top > (1 - _MARGIN) * line.height
