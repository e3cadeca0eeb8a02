"""Trying again is bounded and polite."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.retries import RetryRules, retry_after_of, wait_before_retry

RULES = RetryRules(most=2, cap_s=5.0)
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tried", "asked", "wait"),
    [
        (1, None, 0.25),
        (2, None, 0.5),
        (3, None, None),
        (1, 0.0, 0.0),
        (1, 5.0, 5.0),
        (1, 5.1, None),
        (3, 1.0, None),
    ],
)
def test_wait_is_what_was_asked_for_up_to_a_cap(
    tried: int, asked: float | None, wait: float | None
) -> None:
    assert wait_before_retry(RULES, tried, asked) == wait


@given(st.integers(min_value=1, max_value=50), st.none() | st.floats(min_value=0, max_value=1e6))
def test_wait_never_exceeds_the_cap(tried: int, asked: float | None) -> None:
    wait = wait_before_retry(RetryRules(most=100, cap_s=5.0), tried, asked)
    assert wait is None or 0 <= wait <= 5.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=40))}, 40.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=40))}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_header_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_of(headers, NOW) == seconds
