"""Only what the sandbox signed a moment ago is believed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import RuleBroken, Unauthenticated
from crm.money import Money
from crm.payments.gateways.protocol import GatewayEvent
from crm.payments.gateways.sandbox.signing import (
    HEADER,
    TOLERANCE,
    check_signature,
    read_body,
    sign,
    write_body,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SECRET = b"of the sandbox"
EVENT = GatewayEvent(
    gateway="sandbox",
    event_id="co_1:completed",
    kind="completed",
    payment_id=UUID(int=7),
    gateway_ref="co_1",
    amount=Money(150, "KWD"),
    occurred_at=NOW,
    refund_id=UUID(int=8),
)
BODY = write_body(EVENT)


def check(header: str, *, body: bytes = BODY, now: datetime = NOW) -> None:
    check_signature({HEADER: header}, body, SECRET, now=now)


def test_signed_body_is_read_back() -> None:
    check(sign(BODY, SECRET, NOW))
    assert read_body(BODY) == EVENT


@pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
def test_signature_holds_within_the_tolerance(late: timedelta) -> None:
    check(sign(BODY, SECRET, NOW), now=NOW + late)


@pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
def test_old_and_future_signatures_are_stale(late: timedelta) -> None:
    more = timedelta(seconds=1) if late > timedelta(0) else timedelta(seconds=-1)
    with pytest.raises(Unauthenticated, match=r"webhook\.stale"):
        check(sign(BODY, SECRET, NOW), now=NOW + late + more)


def test_signature_of_another_secret_is_refused() -> None:
    with pytest.raises(Unauthenticated, match=r"webhook\.signature"):
        check(sign(BODY, b"other", NOW))


@settings(derandomize=True, max_examples=60)
@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_changed_body_is_refused(at: int, bit: int) -> None:
    changed = bytes([*BODY[:at], BODY[at] ^ (1 << bit), *BODY[at + 1 :]])
    with pytest.raises(Unauthenticated):
        check(sign(BODY, SECRET, NOW), body=changed)


@settings(derandomize=True, max_examples=100)
@given(st.text(max_size=80))
def test_any_header_is_refused_in_order(header: str) -> None:
    with pytest.raises(Unauthenticated):
        check(header)


@pytest.mark.parametrize("header", ["t=,v1=", "t=1²,v1=a", "t=99999999999999999,v1=a", "v1=a", "t"])
def test_broken_header_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated, match=r"webhook\.signature"):
        check(header)


@settings(derandomize=True, max_examples=60)
@given(st.binary(max_size=60))
def test_unreadable_body_is_malformed(body: bytes) -> None:
    with pytest.raises(RuleBroken, match=r"webhook\.malformed"):
        read_body(body)
