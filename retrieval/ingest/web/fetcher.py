"""Makes one request at a time, with limits, and looks at every redirect anew."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from retrieval.errors import Unreadable
from retrieval.ingest.web.addresses import Target, WebPolicy

USER_AGENT = "OrientaIngest/1.0"
_MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What a page may take."""

    seconds: float = 60.0
    max_bytes: int = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    Args:
        url: of the last redirect.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def charset(self) -> str:
        """Return the encoding that the server names."""
        _, _, named = self.headers.get("content-type", "").lower().partition("charset=")
        return named.partition(";")[0].strip(" \"'")


class Fetcher:
    """Asks servers that the policy allows, at the address that it looked at.

    Redirects are followed by hand; each goes through the policy like the first request.
    """

    def __init__(self, policy: WebPolicy, limits: WebLimits = WebLimits()) -> None:
        self.policy = policy
        self._limits = limits
        self._client = httpx.AsyncClient(
            trust_env=False,  # a proxy would resolve names on its own
            follow_redirects=False,
            timeout=httpx.Timeout(20.0, connect=10.0),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """Fetch an address.

        Raises: Unreadable: it may not be asked, or did not answer as it should.
        """
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(url, headers or {})
        except TimeoutError:
            raise Unreadable("ingest.time", "The server takes too long.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as broken:
            raise Unreadable("ingest.fetch", "The server does not answer.") from broken

    async def _follow(self, url: str, headers: Mapping[str, str]) -> Response:
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._ask(await self.policy.target(url), headers)
            location = response.headers.get("location", "")
            if response.status not in _REDIRECTS or not location:
                return response
            url = urljoin(url, location)
        raise Unreadable("ingest.redirects", "The address leads on and on.")

    async def _ask(self, target: Target, headers: Mapping[str, str]) -> Response:
        address = f"[{target.address}]" if ":" in target.address else target.address
        request = self._client.build_request(
            "GET",
            f"{target.scheme}://{address}:{target.port}{target.path}",
            headers={**headers, "Host": target.host_header},
            # The certificate must be the host's, not the address's.
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            content = await self._read(response)
        finally:
            await response.aclose()
        return Response(target.url, response.status_code, dict(response.headers), content)

    async def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for piece in response.aiter_bytes(64 * 1024):
            content += piece
            if len(content) > self._limits.max_bytes:
                raise Unreadable("ingest.size", "The page is larger than it may be.")
        return bytes(content)
