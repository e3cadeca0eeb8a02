"""Keyset pages: a cursor names the last row seen, never an offset."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, overload
from uuid import UUID

from crm.errors import RuleBroken

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list and the cursor of the next, or None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None


def encode_cursor(*keys: str | int | datetime | UUID) -> str:
    """Pack the sort keys of the last row seen."""
    plain = [str(k) if isinstance(k, datetime | UUID) else k for k in keys]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


@overload
def decode_cursor(cursor: str | None, one: Callable[[str], A], /) -> tuple[A] | None: ...
@overload
def decode_cursor(
    cursor: str | None, one: Callable[[str], A], two: Callable[[str], B], /
) -> tuple[A, B] | None: ...
@overload
def decode_cursor(
    cursor: str | None,
    one: Callable[[str], A],
    two: Callable[[str], B],
    three: Callable[[str], C],
    /,
) -> tuple[A, B, C] | None: ...
def decode_cursor(
    cursor: str | None, /, *readers: Callable[[str], object]
) -> tuple[object, ...] | None:
    """Unpack a cursor made by `encode_cursor`; no cursor stays None.

    Args:
        readers: one a key, e.g. `datetime.fromisoformat, UUID`.
    Raises: RuleBroken("page.cursor"): not one of ours.
    """
    if cursor is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        keys = json.loads(packed)
        return tuple(read(str(key)) for read, key in zip(readers, keys, strict=True))
    except (binascii.Error, ValueError, TypeError, RecursionError) as broken:
        raise RuleBroken("page.cursor", "The cursor is not valid.") from broken


def page_of(rows: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """Cut a list fetched with `limit + 1` rows into a page.

    Args:
        cursor_of: gives the cursor that continues after a row.
    """
    items = tuple(rows[:limit])
    more = len(rows) > limit
    return Page(items, cursor_of(items[-1]) if more else None)


def equal(*names: str) -> dict[str, str]:
    """Return the conditions that columns have the values of filters of the same names."""
    return {name: f"{name} = %({name})s" for name in names}


def newest_first(
    filters: Mapping[str, object],
    conditions: Mapping[str, str],
    *,
    keys: tuple[str, str],
    after: tuple[object, object] | None,
    limit: int,
) -> tuple[str, dict[str, object]]:
    """Return what follows a statement's FROM to read a page, newest first, and its values.

    Args:
        filters: name → value; None leaves a filter open.
        conditions: what each filter asks; constants of the store.
        keys: the columns of the order, the second one unique.
        after: what the last row seen has in them.
    """
    return _page(filters, conditions, keys=keys, after=after, limit=limit, newest=True)


def oldest_first(
    filters: Mapping[str, object],
    conditions: Mapping[str, str],
    *,
    keys: tuple[str, str],
    after: tuple[object, object] | None,
    limit: int,
) -> tuple[str, dict[str, object]]:
    """Return what reads a page that is read oldest first, as `newest_first`."""
    return _page(filters, conditions, keys=keys, after=after, limit=limit, newest=False)


def _page(
    filters: Mapping[str, object],
    conditions: Mapping[str, str],
    *,
    keys: tuple[str, str],
    after: tuple[object, object] | None,
    limit: int,
    newest: bool,
) -> tuple[str, dict[str, object]]:
    sign, order = ("<", "DESC") if newest else (">", "ASC")
    given = {name: value for name, value in filters.items() if value is not None}
    clauses = [conditions[name] for name in given]
    values = {**given, "limit": limit}
    if after:
        clauses.append(f"({keys[0]}, {keys[1]}) {sign} (%(after_first)s, %(after_second)s)")
        values |= {"after_first": after[0], "after_second": after[1]}
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    return f"{where}ORDER BY {keys[0]} {order}, {keys[1]} {order} LIMIT %(limit)s", values
