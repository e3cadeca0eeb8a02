"""Brings a file that is sent to this machine's disk: known in full before any of it is kept."""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO

from crm.errors import RuleBroken

_IN_MEMORY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has come in full.

    Args:
        file: at its start.
        newlines: how many there are in it.
    """

    file: IO[bytes]
    size_bytes: int
    sha256: bytes
    newlines: int

    def parts(self, size: int) -> Iterator[bytes]:
        """Yield the file in pieces of so many bytes, once."""
        while part := self.file.read(size):
            yield part


@asynccontextmanager
async def spooled(
    content: AsyncIterator[bytes], *, max_bytes: int, area: str
) -> AsyncIterator[Upload]:
    """Lend a file that comes piece by piece, until the end of the block.

    Args:
        area: what the codes of refusals begin with.

    Raises: RuleBroken("<area>.size" | "<area>.empty").
    """
    digest, size, newlines = hashlib.sha256(), 0, 0
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for piece in content:
            size += len(piece)
            if size > max_bytes:
                raise RuleBroken(f"{area}.size", f"A file has at most {max_bytes} bytes.")
            digest.update(piece)
            newlines += piece.count(b"\n")
            file.write(piece)
        if not size:
            raise RuleBroken(f"{area}.empty", "The file is empty.")
        file.seek(0)
        yield Upload(file, size, digest.digest(), newlines)
