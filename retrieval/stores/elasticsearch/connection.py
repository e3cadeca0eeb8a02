"""The connection to Elasticsearch: how it is opened, and what its failures mean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from elastic_transport import HttpxAsyncHttpNode, TransportError
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch

from retrieval.errors import StoreRefused, StoreUnavailable

#: Answers that say that the server cannot serve now, or not us: no login, no index, busy.
_LASTING = frozenset({401, 403, 404, 408, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where Elasticsearch is, and who we are there.

    Args:
        api_key: takes precedence over user and password.
        ca_file: of a certificate authority that the system does not know.
        search_s: the longest that a search may take before another store answers.
        write_s: the same for a batch of changes, and for what is done to an index.
    """

    url: str
    user: str | None = None
    password: str | None = None
    api_key: str | None = None
    ca_file: Path | None = None
    prefix: str = "orienta"
    search_s: float = 1.0
    write_s: float = 30.0


def open_client(access: Access) -> AsyncElasticsearch:
    """Return a client that connects when it is used; it never tries twice by itself."""
    login = (access.user, access.password or "") if access.user and not access.api_key else None
    return AsyncElasticsearch(
        access.url,
        api_key=access.api_key,
        basic_auth=login,
        ca_certs=str(access.ca_file) if access.ca_file else DEFAULT,
        node_class=HttpxAsyncHttpNode,
        max_retries=0,
        retry_on_timeout=False,
        request_timeout=access.write_s,
    )


@asynccontextmanager
async def within(limit_s: float) -> AsyncIterator[None]:
    """Bound what is asked of the server in time, and translate its failures.

    Raises:
        StoreUnavailable("search.unavailable"): no answer, none in time, or not ready to serve.
        StoreRefused("search.refused"): the server does not take this request.
    """
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as late:
        raise StoreUnavailable(
            "search.unavailable", f"Elasticsearch does not answer within {limit_s:g} s."
        ) from late
    except TransportError as broken:
        said = type(broken).__name__
        raise StoreUnavailable(
            "search.unavailable", f"Elasticsearch does not answer: {said}."
        ) from broken
    except ApiError as answer:
        raise _failure(answer) from answer


def _failure(answer: ApiError) -> StoreUnavailable | StoreRefused:
    return failure_of(answer.status_code, answer.error)


def failure_of(status: int, said: str) -> StoreUnavailable | StoreRefused:
    """Return what an answer that is no success means."""
    message = f"Elasticsearch answers {status}: {said}."
    if status in _LASTING or status >= 500:
        return StoreUnavailable("search.unavailable", message)
    return StoreRefused("search.refused", message)
