"""Reads PDF: tables as tables, columns one after the other, headings by their letters' size."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from retrieval.errors import Unreadable
from retrieval.ingest.draft import Draft
from retrieval.ingest.formats.outline import heading_level, is_item, paragraphs_html
from retrieval.ingest.formats.pdf_layout import Line, reading_order, without_margins

_MAX_PAGES = 2_000
#: A heading's letters are so much larger than the text's, or bold.
_LARGER = 1.12
_MAX_HEADING = 160
#: Of a letter's size. TeX sets words a quarter apart, and letters never a tenth.
_WORD_GAP = 0.15


def read_pdf(content: bytes) -> Draft:
    """Read a document page by page.

    Raises: Unreadable("ingest.encrypted" | "ingest.pages" | "ingest.pdf" | "ingest.scan").
    """
    import pdfplumber
    from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

    try:
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            _check_length(len(pdf.pages))
            title = str((pdf.metadata or {}).get("Title") or "")
            pages = [_read_page(page) for page in pdf.pages]
    except (MemoryError, RecursionError, Unreadable):
        raise
    except (PdfminerException, MalformedPDFException) as broken:
        raise _reason(broken) from broken
    except Exception as broken:
        raise Unreadable("ingest.pdf", "The PDF is damaged.") from broken
    body = "\n".join(_html(without_margins(pages)))
    if not body:
        raise Unreadable("ingest.scan", "The PDF holds no text; it may be a scan.")
    return Draft(body, "html", title=" ".join(title.split())[:300])


def _check_length(pages: int) -> None:
    if pages > _MAX_PAGES:
        raise Unreadable("ingest.pages", f"The PDF has more than {_MAX_PAGES} pages.")


def _reason(broken: Exception) -> Unreadable:
    cause = type(broken.args[0]).__name__ if broken.args else ""
    if "Password" in cause or "Encrypt" in cause:
        return Unreadable("ingest.encrypted", "The PDF is encrypted.")
    return Unreadable("ingest.pdf", "The PDF is damaged.")


def _read_page(page: Any) -> list[Line]:
    """Return the lines of a page in reading order; a table is one of them."""
    tables = [t for t in page.find_tables() if len(t.rows) > 1 and len(t.rows[0].cells) > 1]
    rest = page
    for table in tables:
        rest = rest.outside_bbox(table.bbox) if _within(table.bbox, page.bbox) else rest
    words = rest.extract_words(extra_attrs=["size", "fontname"], x_tolerance_ratio=_WORD_GAP)
    lines = reading_order(words, float(page.width))
    found = [Line(float(t.bbox[1]), float(t.bbox[3]), rows=_rows(t)) for t in tables]
    page.close()
    return _merged(lines, found, float(page.height))


def _within(inner: Sequence[float], outer: Sequence[float]) -> bool:
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def _rows(table: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(" ".join((cell or "").split()) for cell in row)
        for row in table.extract(x_tolerance_ratio=_WORD_GAP)
        if any(cell and cell.strip() for cell in row)
    )


def _merged(lines: list[Line], tables: list[Line], height: float) -> list[Line]:
    """Put each table before the first line that stands below it in the same column or later."""
    merged = [line.on_page(height) for line in lines]
    for table in sorted(tables, key=lambda t: t.top):
        place = next((n for n, line in enumerate(merged) if line.top >= table.top), len(merged))
        merged.insert(place, table.on_page(height))
    return merged


def _html(lines: Sequence[Line]) -> Iterator[str]:
    body_size = _body_size(lines)
    paragraph: list[str] = []
    before: Line | None = None
    for line in lines:
        level = _level(line, body_size)
        if line.rows or level or _begins(line, before):
            yield from paragraphs_html(paragraph)
            paragraph = []
        if line.rows:
            yield _table(line.rows)
        elif level:
            yield f"<h{level}>{escape(line.text)}</h{level}>"
        else:
            paragraph.append(line.text)
        before = line
    yield from paragraphs_html(paragraph)


def _begins(line: Line, before: Line | None) -> bool:
    """Return whether a line begins a paragraph: after a gap, or after a short full stop."""
    if before is None or before.rows:
        return True
    if is_item(line.text):
        return not is_item(before.text) and line.top - before.bottom > 0.6 * line.size
    if line.top < before.top:  # a new column or page goes on where the text does not end
        return before.text.endswith((".", ":", "!", "?"))
    return line.top - before.bottom > 0.6 * line.size


def _body_size(lines: Sequence[Line]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _level(line: Line, body_size: float) -> int:
    if line.rows or not line.text or len(line.text) > _MAX_HEADING or not body_size:
        return 0
    if line.size >= 1.5 * body_size:
        return 1
    if line.size >= _LARGER * body_size:
        return 2
    by_words = heading_level(line.text)
    if line.bold and not is_item(line.text) and line.text[-1] not in ".,;":
        return by_words or 3
    return by_words if by_words and by_words <= 3 and not line.text[0].isdigit() else 0


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = rows
    cells = "".join(f"<th>{escape(c)}</th>" for c in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in r) + "</tr>" for r in rest)
    return f"<table><tr>{cells}</tr>{body}</table>"
