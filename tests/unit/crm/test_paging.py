"""Cursors come back as they were packed; anything else is refused with one code."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.paging import decode_cursor, encode_cursor, page_of

times = st.datetimes(timezones=st.just(UTC))


@given(times, st.uuids())
def test_keys_come_back(at: datetime, key: UUID) -> None:
    assert decode_cursor(encode_cursor(at, key), datetime.fromisoformat, UUID) == (at, key)


@given(st.text(max_size=80))
def test_anything_else_is_refused_with_one_code(cursor: str) -> None:
    with pytest.raises(RuleBroken, match="page.cursor"):
        decode_cursor(cursor, datetime.fromisoformat, UUID)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", encode_cursor(1, 2), encode_cursor("a"), encode_cursor("2026-13-01", "y"), "bnVsbA"],
)
def test_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(RuleBroken, match="page.cursor"):
        decode_cursor(cursor, datetime.fromisoformat, UUID)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_cover_a_list_once(length: int, limit: int) -> None:
    rows, seen, after = list(range(length)), [], -1
    while True:
        page = page_of([r for r in rows if r > after][: limit + 1], limit, encode_cursor)
        seen += page.items
        if page.next_cursor is None:
            break
        (after,) = decode_cursor(page.next_cursor, int) or (length,)
    assert seen == rows
