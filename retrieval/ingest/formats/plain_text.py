"""Reads plain text: paragraphs between empty lines, headings by their words."""

import re
from collections.abc import Iterator
from html import escape

from retrieval.ingest.draft import Draft
from retrieval.ingest.formats.outline import heading_level, paragraphs_html

_GAP = re.compile(r"\n[ \t]*\n\s*")


def read_plain_text(text: str) -> Draft:
    """Return the text as HTML, so that no sign in it is taken for markup."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    parts = [p for p in _GAP.split(unified) if p.strip()]
    title = _title(parts)
    return Draft("\n".join(_html(parts)), "html", title=title)


def _title(parts: list[str]) -> str:
    first = parts[0].strip() if parts else ""
    is_line = first and "\n" not in first and len(first) <= 120 and first[-1] not in ".,;:"
    return first if is_line else ""


def _html(parts: list[str]) -> Iterator[str]:
    for part in parts:
        lines = part.split("\n")
        level = heading_level(lines[0])
        if level:
            yield f"<h{level}>{escape(lines[0].strip())}</h{level}>"
            lines = lines[1:]
        yield from paragraphs_html(lines)
