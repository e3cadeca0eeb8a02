"""Tells headings and list items among the lines of a text that has no markup."""

import re
from collections.abc import Iterable, Iterator
from html import escape

_PART = re.compile(
    r"(?:t[ií]tulo|cap[ií]tulo|secci[oó]n|anexo|title|chapter|section|annex|appendix)"
    r"\s+(?:[IVXLC]+|\d+|primer[oa]|[uú]nic[oa])\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:art[ií]culo|article|art\.)\s+\d+", re.IGNORECASE)
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?\s+[A-ZÁÉÍÓÚÑ]")
_ITEM = re.compile(r"\s*(?:[-–•*◦▪]|\(?[a-z]\)|\d{1,3}[.)])\s+")
_BULLET = re.compile(r"\s*[-–•*◦▪]\s+")
_MAX_HEADING = 120


def heading_level(line: str) -> int:
    """Return the level that a line's words give it, 2 to 5, or 0 for none."""
    text = line.strip()
    if not text or len(text) > _MAX_HEADING:
        return 0
    if _PART.match(text):
        return 2
    if _ARTICLE.match(text):
        return 3
    if text[-1] in ".,;:?!":
        return 0
    if numbered := _NUMBERED.match(text):
        return min(2 + numbered.group(1).count("."), 5)
    letters = [c for c in text if c.isalpha()]
    return 2 if len(letters) > 3 and all(c.isupper() for c in letters) else 0


def is_item(line: str) -> bool:
    """Return whether a line begins an item of a list."""
    return _ITEM.match(line) is not None


def item_text(line: str) -> str:
    """Return an item without its bullet; a number or a letter says which one it is and stays."""
    return _BULLET.sub("", line, count=1).strip()


def paragraphs_html(lines: Iterable[str]) -> Iterator[str]:
    """Write the lines of one paragraph as HTML, items of a list one by one."""
    running: list[str] = []
    items: list[list[str]] = []
    for line in lines:
        if is_item(line):
            items.append([item_text(line)])
        elif items:
            items[-1].append(line.strip())
        else:
            running.append(line.strip())
    if running:
        yield f"<p>{escape(join_lines(running))}</p>"
    if items:
        yield "<ul>" + "".join(f"<li>{escape(join_lines(i))}</li>" for i in items) + "</ul>"


def join_lines(lines: Iterable[str]) -> str:
    """Put lines of running text together again, and words that were cut at the end of one."""
    text = ""
    for line in (line for line in lines if line):
        if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    return text
