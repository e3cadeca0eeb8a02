"""Pages of people: the newest first, or the best match first."""

from datetime import datetime
from uuid import UUID

from crm.db import Connection
from crm.errors import RuleBroken
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people import store
from crm.people.addresses import normalise_email, normalise_phone
from crm.people.models import Person


async def list_page(conn: Connection, *, cursor: str | None, limit: int) -> Page[Person]:
    """Return active people, the newest first.

    Raises: RuleBroken("page.cursor").
    """
    rows = await store.select_people(
        conn, after=decode_cursor(cursor, datetime.fromisoformat, UUID), limit=limit + 1
    )
    return page_of(rows, limit, lambda p: encode_cursor(p.created_at, p.id))


async def search_page(
    conn: Connection, query: str, *, region: str, cursor: str | None, limit: int
) -> Page[Person]:
    """Return active people whose name is like the query, or whose address it is, best first.

    Raises: RuleBroken("page.cursor").
    """
    email, phone = _addresses_in(query, region)
    found = await store.search_people(
        conn,
        query=query,
        email=email,
        phone=phone,
        after=decode_cursor(cursor, int, UUID),
        limit=limit + 1,
    )
    page = page_of(found, limit, lambda row: encode_cursor(row[0], row[1].id))
    return Page(tuple(person for _, person in page.items), page.next_cursor)


def _addresses_in(query: str, region: str) -> tuple[str | None, str | None]:
    email = phone = None
    try:
        if "@" in query:
            email = normalise_email(query)
        else:
            phone = normalise_phone(query, region)
    except RuleBroken:
        # A part of an address, or a name: the words are looked for all the same.
        return None, None
    return email, phone
