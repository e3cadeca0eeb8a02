"""What the servers ask of visitors: robots.txt, read once a run (RFC 9309)."""

import asyncio
import time
from urllib.parse import urlsplit

from protego import Protego

from retrieval.errors import Unreadable
from retrieval.ingest.web.fetcher import USER_AGENT, Fetcher

_MAX_DELAY_S = 30.0
_MAX_CHARS = 500_000


class Robots:
    """Remembers the rules of each server, and when it was last asked.

    Args:
        pause_s: between two requests to a server that names no delay.
    """

    def __init__(self, fetcher: Fetcher, *, pause_s: float) -> None:
        self._fetcher = fetcher
        self._pause_s = pause_s
        self._rules: dict[str, Protego | None] = {}
        self._asked: dict[str, float] = {}

    async def wait_for(self, url: str) -> None:
        """Wait until a page may be asked for.

        Raises: Unreadable("ingest.robots"): it may not.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = await self._read(origin)
        rules = self._rules[origin]
        if rules is None or not rules.can_fetch(url, USER_AGENT):
            raise Unreadable("ingest.robots", "The site's robots.txt does not allow it.")
        delay = min(max(rules.crawl_delay(USER_AGENT) or 0.0, self._pause_s), _MAX_DELAY_S)
        now = time.monotonic()
        at = max(now, self._asked.get(origin, 0.0) + delay)
        self._asked[origin] = at
        await asyncio.sleep(at - now)

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that a site names."""
        parts = urlsplit(url)
        rules = await self._read(f"{parts.scheme}://{parts.netloc}")
        return list(rules.sitemaps) if rules else []

    async def _read(self, origin: str) -> Protego | None:
        """Return a server's rules; None where it fails: then nothing is asked of it."""
        try:
            response = await self._fetcher.get(f"{origin}/robots.txt")
        except Unreadable as reason:
            if reason.code in {"ingest.time", "ingest.fetch", "ingest.size"}:
                return None
            raise
        if response.status >= 500:
            return None
        text = response.content.decode("utf-8", "replace") if response.status < 400 else ""
        return Protego.parse(text[:_MAX_CHARS])
