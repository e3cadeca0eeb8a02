"""Where the files of an ingest come from."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from retrieval.errors import Unreadable
from retrieval.ingest.folder import list_files, read_bytes
from retrieval.ingest.jobs.models import Fetched, Job, NotChanged

_NAMES = 1_000


class Source(Protocol):
    """Lists files or pages, and brings one at a time."""

    def names(self, job: Job) -> AsyncIterator[Sequence[str]]:
        """Yield the names of all items, some at a time.

        Raises: Unreadable: nothing can be listed; the job fails with this reason.
        """
        ...

    async def fetch(self, job: Job, name: str) -> Fetched | NotChanged:
        """Bring one item.

        Raises: Unreadable: it is set aside with this reason.
        """
        ...

    async def close(self, job: Job) -> None:
        """Let go of what a job has opened."""
        ...


class FolderSource:
    """A folder of this machine."""

    async def names(self, job: Job) -> AsyncIterator[Sequence[str]]:
        """Yield the names of its files."""
        found = await asyncio.to_thread(list_files, Path(job.place))
        for start in range(0, len(found), _NAMES):
            yield found[start : start + _NAMES]

    async def fetch(self, job: Job, name: str) -> Fetched:
        """Read a file."""
        return Fetched(await asyncio.to_thread(read_bytes, Path(job.place), name), name)

    async def close(self, job: Job) -> None:
        """Nothing stays open."""


class Uploads(Protocol):
    """Keeps files that were sent."""

    async def read_upload(self, job: Job) -> bytes:
        """Return the file that was sent."""
        ...


class UploadSource:
    """A file that was sent."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    async def names(self, job: Job) -> AsyncIterator[Sequence[str]]:
        """Yield its name."""
        yield [job.place]

    async def fetch(self, job: Job, name: str) -> Fetched:
        """Return what was sent."""
        content = await self._uploads.read_upload(job)
        if not content:
            raise Unreadable("ingest.file", "The file is no longer kept; send it again.")
        return Fetched(content, name)

    async def close(self, job: Job) -> None:
        """Nothing stays open."""
