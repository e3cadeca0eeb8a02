"""Reads the knowledge files of a folder, one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import Unreadable
from retrieval.ingest.frontmatter import parse_document
from retrieval.models import Document

SUFFIXES = frozenset({".md", ".html", ".htm"})
_MAX_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that could not be read, and why."""

    path: str
    reason: str


def list_files(folder: Path) -> list[Path]:
    """Return the knowledge files under a folder in a stable order.

    Raises: Unreadable("ingest.folder"): there is no such folder.
    """
    if not folder.is_dir():
        raise Unreadable("ingest.folder", "There is no such folder.")
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def read_file(path: Path) -> Document:
    """Read one knowledge file.

    Raises: Unreadable: the file cannot be taken for a document; the message says why.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise Unreadable("ingest.size", "The file is larger than 2 MB.")
        return parse_document(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as broken:
        raise Unreadable("ingest.encoding", "The file is not UTF-8.") from broken
    except OSError as broken:
        raise Unreadable("ingest.file", "The file cannot be opened.") from broken


def read_folder(folder: Path) -> Iterator[tuple[str, Document | SetAside]]:
    """Yield each file's path, relative to the folder, and its document or why there is none.

    Raises: Unreadable("ingest.folder"): there is no such folder.
    """
    owners: dict[str, str] = {}
    for path in list_files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            document = read_file(path)
        except Unreadable as reason:
            yield name, SetAside(name, reason.safe_message)
            continue
        owner = owners.setdefault(document.id, name)
        if owner == name:
            yield name, document
        else:
            yield name, SetAside(name, f"{owner} has the same slug and language.")
