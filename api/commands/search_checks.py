"""Checks of what searches: PostgreSQL, or Elasticsearch and how far it is behind."""

import asyncio
from typing import TYPE_CHECKING

from api.commands.findings import Finding, broken, ok, warning
from api.commands.store import SearchLag, read_search_lag
from api.search_stores import access_of
from api.settings import Settings
from crm.errors import OrientaError
from retrieval.errors import RetrievalError

if TYPE_CHECKING:
    from retrieval.stores.elasticsearch.connection import Access

PART = "Search"
OLDEST_ELASTICSEARCH = 8
#: So many changes are under way while documents are ingested; more of them wait for something.
MANY_PENDING = 10_000


def check_search(settings: Settings) -> Finding:
    """What searches, in which version and how far behind."""
    if settings.search_store == "pgvector":
        return ok(PART, "in PostgreSQL (full text and pgvector)")
    try:
        access = access_of(settings)
    except OrientaError as error:
        remedy = "set ORIENTA_ELASTICSEARCH_URL, or ORIENTA_SEARCH_STORE=pgvector"
        return broken(PART, error.safe_message, remedy)
    try:
        version = asyncio.run(_version(access))
    except RetrievalError as error:
        remedy = "start the server, or correct ORIENTA_ELASTICSEARCH_URL and its login"
        return warning(PART, f"{error.safe_message} PostgreSQL searches meanwhile", remedy)
    if int(version.split(".")[0]) < OLDEST_ELASTICSEARCH:
        return warning(PART, f"Elasticsearch {version}", "use Elasticsearch 9")
    return _judge(f"Elasticsearch {version}", _lag(settings.database_url))


def _judge(server: str, lag: SearchLag | None) -> Finding:
    if lag is None:
        return ok(PART, server)
    if lag.set_aside:
        detail = f"{server}, {lag.set_aside} passages set aside: {lag.reason}"
        return warning(PART, detail, "orienta search-index status, then retry")
    if not lag.serving:
        state = "is being built" if lag.building else "is not built yet"
        remedy = "orienta worker builds it (at once: orienta search-index rebuild)"
        return warning(PART, f"{server}: its index {state}, PostgreSQL searches meanwhile", remedy)
    if lag.pending > MANY_PENDING:
        return warning(PART, f"{server}, {lag.pending} changes behind", "orienta worker")
    return ok(PART, f"{server}, {lag.pending} changes behind")


async def _version(access: "Access") -> str:
    from retrieval.stores.elasticsearch.connection import open_client, within

    client = open_client(access)
    try:
        async with within(5):
            return str((await client.info())["version"]["number"])
    finally:
        await client.close()


def _lag(database_url: str | None) -> SearchLag | None:
    """Return what the database knows; None where it cannot be asked: another check says why."""
    try:
        return read_search_lag(database_url) if database_url else None
    except OrientaError:
        return None
