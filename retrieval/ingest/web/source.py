"""The pages of a sitemap as the files of an ingest."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from retrieval.errors import Unreadable
from retrieval.ingest.declared import slug_of
from retrieval.ingest.jobs.models import Fetched, Job, NotChanged
from retrieval.ingest.web.fetcher import Fetcher, Response
from retrieval.ingest.web.robots import Robots
from retrieval.ingest.web.sitemap import read_sitemap

_MAX_SITEMAPS = 500
_MAX_PAGES = 50_000
_READ = {
    "": "",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/octet-stream": "",
}


class KnownPages(Protocol):
    """Remembers what servers said of pages."""

    async def known_page(self, collection: str, url: str) -> tuple[str, str, str] | None:
        """Return a page's ETag, its date, and the document that it is."""
        ...


class SitemapSource:
    """Lists the pages that a sitemap names and fetches them.

    Args:
        open_fetcher: makes one; a job keeps it while it runs.
        pause_s: between two requests to a server that names no delay.
    """

    def __init__(
        self, known: KnownPages, open_fetcher: Callable[[], Fetcher], *, pause_s: float = 0.5
    ) -> None:
        self._known = known
        self._open = open_fetcher
        self._pause_s = pause_s
        self._visits: dict[UUID, tuple[Fetcher, Robots]] = {}

    def _visit(self, job: Job) -> tuple[Fetcher, Robots]:
        if job.id not in self._visits:
            fetcher = self._open()
            self._visits[job.id] = fetcher, Robots(fetcher, pause_s=self._pause_s)
        return self._visits[job.id]

    async def names(self, job: Job) -> AsyncIterator[Sequence[str]]:
        """Yield the addresses of pages on hosts that may be read."""
        fetcher, robots = self._visit(job)
        waiting, seen, count = [job.place], {job.place}, 0
        while waiting and len(seen) <= _MAX_SITEMAPS:
            url = waiting.pop(0)
            await robots.wait_for(url)
            response = await fetcher.get(url)
            if response.status != 200:
                raise Unreadable("ingest.fetch", f"The sitemap answers with {response.status}.")
            found = read_sitemap(response.content)
            pages = [p for p in found.pages if fetcher.policy.names(p)][: _MAX_PAGES - count]
            count += len(pages)
            yield pages
            further = [s for s in found.sitemaps if s not in seen and fetcher.policy.names(s)]
            seen.update(further)
            waiting += further

    async def fetch(self, job: Job, name: str) -> Fetched | NotChanged:
        """Fetch a page, unless its server says that it is as it was."""
        fetcher, robots = self._visit(job)
        await robots.wait_for(name)
        known = await self._known.known_page(job.collection, name)
        response = await fetcher.get(name, _conditions(known))
        if response.status == 304 and known is not None:
            return NotChanged(known[2])
        if response.status != 200:
            raise Unreadable("ingest.fetch", f"The server answers with {response.status}.")
        return _fetched(name, response)

    async def close(self, job: Job) -> None:
        """Close the connections of a job."""
        if visit := self._visits.pop(job.id, None):
            await visit[0].aclose()


def _conditions(known: tuple[str, str, str] | None) -> dict[str, str]:
    if known is None:
        return {}
    pairs = {"If-None-Match": known[0], "If-Modified-Since": known[1]}
    return {name: value for name, value in pairs.items() if value}


def _fetched(url: str, response: Response) -> Fetched:
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _READ:
        raise Unreadable("ingest.type", "The page is of a kind that is not read.")
    name = _file_name(url)
    return Fetched(
        response.content,
        name + _READ[media],
        charset=response.charset,
        # What a page may not claim: where it came from, who may read it, whose place it takes.
        fixed={"source": url, "audience": "public", "version": 1, "slug": slug_of(name)},
        etag=response.headers.get("etag", "")[:500],
        last_modified=response.headers.get("last-modified", "")[:100],
    )


def _file_name(url: str) -> str:
    """Return the name under which a page is known: its address without what names its format."""
    parts = urlsplit(url)
    path = re.sub(r"\.(?:html?|php|aspx?|pdf|docx|txt|md)$", "", unquote(parts.path).strip("/"))
    name = f"{parts.hostname or ''}/{path or 'index'}"
    return f"{name}-{parts.query}" if parts.query else name
