"""Tells what a file is by what stands in it; its name only decides between kinds of text."""

import codecs
import io
import re
import zipfile
from pathlib import PurePosixPath
from typing import Literal

from retrieval.errors import Unreadable

FileKind = Literal["markdown", "html", "text", "pdf", "docx"]

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
)
_MARKUP = {".html": "html", ".htm": "html", ".xhtml": "html"}
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{3,20})", re.IGNORECASE
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(name: str, content: bytes) -> FileKind:
    """Return the kind of a file.

    Raises: Unreadable("ingest.type"): a kind that is not read.
    """
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    if content.startswith(_OLD_OFFICE):
        raise Unreadable("ingest.type", "The file is encrypted, or of an old Office format.")
    encoding, skip = _encoding(content, "")
    head = content[skip:4096].decode(encoding, "replace")
    suffix = PurePosixPath(name).suffix.lower()
    if _HTML.match(head.lower()) or suffix in _MARKUP:
        return "html"
    return "markdown" if suffix in {".md", ".markdown"} or head.startswith("---\n") else "text"


def _kind_of_archive(content: bytes) -> FileKind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if "word/document.xml" in archive.namelist():
                return "docx"
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as broken:
        raise Unreadable("ingest.archive", "The file is a broken archive.") from broken
    raise Unreadable("ingest.type", "The file is an archive, and none of Word's.")


def decode(content: bytes, *, charset: str = "") -> str:
    """Return the text of a file in UTF-8, or in what it declares itself or by its first bytes.

    Args:
        charset: what came beside it, of a page for one.
    Raises: Unreadable("ingest.encoding" | "ingest.binary").
    """
    encoding, skip = _encoding(content, charset)
    try:
        text = content[skip:].decode(encoding)
    except UnicodeDecodeError as broken:
        raise Unreadable("ingest.encoding", "The file is not UTF-8.") from broken
    if _CONTROL.search(text):
        raise Unreadable("ingest.binary", "The file holds NUL bytes or other control characters.")
    return text


def _encoding(content: bytes, charset: str) -> tuple[str, int]:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return encoding, len(bom)
    declared = _CHARSET.search(content[:2048])
    named = charset or (declared.group(1).decode("ascii") if declared else "")
    try:
        known = codecs.lookup(named) if named else None
    except LookupError:
        known = None
    # Some codecs turn bytes into bytes, and UTF-7 hides markup.
    usable = known is not None and known._is_text_encoding and known.name != "utf-7"
    return (known.name if known and usable else "utf-8"), 0
