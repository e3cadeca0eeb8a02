"""The knowledge files of a folder."""

from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import Unreadable
from retrieval.ingest.reading import MAX_BYTES

SUFFIXES = frozenset(
    {".md", ".markdown", ".html", ".htm", ".xhtml", ".txt", ".text", ".pdf", ".docx"}
)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that could not be read, and why."""

    path: str
    reason: str


def list_files(folder: Path) -> list[str]:
    """Return the names of the knowledge files under a folder in a stable order.

    Hidden files and folders are left out, and what a link leads to outside.

    Raises: Unreadable("ingest.folder"): there is no such folder.
    """
    if not folder.is_dir():
        raise Unreadable("ingest.folder", "There is no such folder.")
    root = folder.resolve()
    found = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    names = (p.relative_to(folder) for p in found if p.resolve().is_relative_to(root))
    return sorted(n.as_posix() for n in names if not any(x.startswith(".") for x in n.parts))


def read_bytes(folder: Path, name: str) -> bytes:
    """Return what stands in a file.

    Raises: Unreadable("ingest.size" | "ingest.file").
    """
    path = folder / name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable("ingest.size", f"The file is larger than {MAX_BYTES // 2**20} MB.")
        return path.read_bytes()
    except OSError as broken:
        raise Unreadable("ingest.file", "The file cannot be opened.") from broken
