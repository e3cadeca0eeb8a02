"""Reads the bytes of a file of any format as a document."""

import re
from dataclasses import replace

from retrieval.errors import Unreadable
from retrieval.ingest.blocks import Block
from retrieval.ingest.declared import Declared, declare
from retrieval.ingest.draft import Draft
from retrieval.ingest.formats.docx import read_docx
from retrieval.ingest.formats.pdf import read_pdf
from retrieval.ingest.formats.plain_text import read_plain_text
from retrieval.ingest.formats.sniff import FileKind, decode, sniff
from retrieval.ingest.frontmatter import split_front_matter
from retrieval.ingest.html import read_html, read_page
from retrieval.ingest.markdown import read_markdown
from retrieval.models import BodyFormat, Document

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MAX_BYTES = 64 * 1024 * 1024
MAX_TEXT_BYTES = 8 * 1024 * 1024


def read_document(name: str, content: bytes, declared: Declared, *, charset: str = "") -> Document:
    """Read a file.

    Args:
        name: from the folder that is read; `/` between its parts.
        charset: what a server said of a page.
    Raises: Unreadable: the file cannot be taken for a document; the message says why.
    """
    kind = sniff(name, content)
    check_size(kind, len(content))
    draft = _storable(_draft(kind, content, charset))
    return declare(name, draft, blocks_of(draft.body, draft.format), declared)


def _storable(draft: Draft) -> Draft:
    """Return a draft without what no database takes: some PDF files have it in their text."""
    body, title = (
        _UNSTORABLE.sub("", text.encode("utf-8", "replace").decode())
        for text in (draft.body, draft.title)
    )
    return replace(draft, body=body, title=title)


def check_size(kind: FileKind, size: int) -> None:
    """Refuse what is larger than files of its kind are.

    Raises: Unreadable("ingest.size").
    """
    most = MAX_BYTES if kind in ("pdf", "docx") else MAX_TEXT_BYTES
    if size > most:
        raise Unreadable("ingest.size", f"The file is larger than {most // 2**20} MB.")


def _draft(kind: FileKind, content: bytes, charset: str) -> Draft:
    if kind == "pdf":
        return read_pdf(content)
    if kind == "docx":
        return read_docx(content)
    text = decode(content, charset=charset)
    if kind == "html":
        return read_page(text)
    if kind == "text":
        return read_plain_text(text)
    fields, body = split_front_matter(text)
    return Draft(body, "markdown", fields=fields)


def blocks_of(body: str, body_format: BodyFormat) -> list[Block]:
    """Return the blocks of a document's text in reading order.

    Raises: Unreadable("ingest.nesting").
    """
    return read_html(body) if body_format == "html" else read_markdown(body)
