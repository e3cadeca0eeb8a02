"""Every day and moment that a request may name has bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.app import create_app
from api.moments import Day, Moment
from api.settings import Settings

SCHEMA: dict[str, Any] = create_app(Settings(_env_file=None, master_key="x")).openapi()
DATES = {"date", "date-time"}


def dates_in(schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Yield every schema of a date within one."""
    if isinstance(schema, list):
        for part in schema:
            yield from dates_in(part, seen)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref", "")
    name = reference.rpartition("/")[2]
    if name and name not in seen:
        yield from dates_in(SCHEMA["components"]["schemas"][name], seen | {name})
    if schema.get("format") in DATES:
        yield schema
    yield from dates_in([v for v in schema.values() if isinstance(v, dict | list)], seen)


def asked_for() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in SCHEMA["paths"].items():
        for method, operation in item.items():
            inputs = [operation.get("parameters", []), operation.get("requestBody", {})]
            for schema in dates_in(inputs):
                yield f"{method.upper()} {path}", schema


ASKED = [pytest.param(schema, id=f"{where} {n}") for n, (where, schema) in enumerate(asked_for())]


def test_there_are_dates_to_look_at() -> None:
    assert len(ASKED) >= 15


@pytest.mark.parametrize("schema", ASKED)
def test_dates_of_requests_have_bounds(schema: dict[str, Any]) -> None:
    assert "formatMinimum" in schema
    assert {"formatMaximum", "formatExclusiveMaximum"} & schema.keys()


@pytest.mark.parametrize("value", ["0001-01-01", "1799-12-31", "3000-01-01", "9999-12-31"])
def test_days_out_of_bounds_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(value)


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "1800-01-01T00:00:00+00:01",
        "2999-12-31T23:59:59-00:01",
        "2026-11-24T00:00:00",
    ],
)
def test_moments_out_of_bounds_or_without_offset_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(value)


@pytest.mark.parametrize("value", ["1800-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
def test_moments_within_bounds_pass(value: str) -> None:
    assert TypeAdapter(Moment).validate_python(value).isoformat()[:10] == value[:10]
