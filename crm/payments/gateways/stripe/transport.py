"""Carries the SDK's requests with httpx, each within a time."""

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

import httpx
import stripe


class StripeTransport(stripe.HTTPClient):
    """What the SDK sends its requests with.

    The SDK's own sets no limit to a whole request, and passes bodies in a way that httpx has
    deprecated.
    """

    name = "httpx"

    def __init__(self, timeout_s: int) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(timeout=timeout_s)
        self._timeout_s = timeout_s

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send a request and return body, status and headers of the answer.

        Raises: stripe.APIConnectionError: no answer within the time.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.request(
                    method, url, headers=dict(headers), content=post_data or None
                )
        except (httpx.HTTPError, TimeoutError) as failure:
            _fail(failure)
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _fail(failure: Exception) -> NoReturn:
    message = f"no answer from Stripe: {type(failure).__name__}"
    raise stripe.APIConnectionError(message, should_retry=True) from failure  # type: ignore[no-untyped-call]
