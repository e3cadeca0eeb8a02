"""Instalments sum to the fee exactly, whatever the amount, the count and the currency."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.money import Money
from crm.payments.invoices.models import MAX_INSTALMENTS, Invoice, split_fee
from crm.payments.models import InvoiceId

START = date(2026, 12, 1)
CURRENCIES = st.sampled_from(["PEN", "USD", "CLP", "JPY", "KWD", "TND"])
AMOUNTS = st.integers(0, 10**15)


def days(count: int) -> list[date]:
    return [START + timedelta(days=30 * n) for n in range(count)]


def invoice(net: int, count: int, *, paid: int = 0, credited: int = 0) -> Invoice:
    fee = Money(net, "PEN")
    return Invoice(
        id=InvoiceId(UUID(int=1)),
        number=1,
        reference="r",
        person_id=PersonId(UUID(int=2)),
        debtor_id=UUID(int=2),
        net=fee,
        credited=Money(credited, "PEN"),
        paid=Money(paid, "PEN"),
        instalments=split_fee(fee, days(count)),
        cancelled_at=None,
        cancel_reason=None,
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


@given(AMOUNTS, st.integers(1, MAX_INSTALMENTS), CURRENCIES)
def test_instalments_sum_to_the_fee(amount: int, count: int, currency: str) -> None:
    parts = split_fee(Money(amount, currency), days(count))
    assert len(parts) == count
    assert sum(part.amount.amount_minor for part in parts) == amount
    assert {part.amount.currency for part in parts} == {currency}
    shares = {part.amount.amount_minor for part in parts[1:]}
    assert len(shares) <= 1
    assert all(0 <= parts[0].amount.amount_minor - share < count for share in shares)
    assert [part.due_on for part in parts] == days(count)


@given(AMOUNTS, st.integers(1, 12), st.data())
def test_what_is_left_of_instalments_is_what_is_owed(
    net: int, count: int, data: st.DataObject
) -> None:
    credited = data.draw(st.integers(0, net))
    paid = data.draw(st.integers(0, net + 50))
    owed = invoice(net, count, paid=paid, credited=credited)
    left = [part.outstanding.amount_minor for part in owed.covered(START)]
    assert sum(left) == max(0, owed.outstanding.amount_minor)
    assert all(0 <= n <= p.amount.amount_minor for n, p in zip(left, owed.instalments, strict=True))
    assert (owed.next_due_on is None) == owed.is_settled


@pytest.mark.parametrize("dates", [[], [START, START], [START, START - timedelta(days=1)]])
def test_dates_must_be_ascending(dates: list[date]) -> None:
    with pytest.raises(RuleBroken, match=r"instalments\.dates"):
        split_fee(Money(100, "PEN"), dates)


def test_remainder_goes_to_the_first() -> None:
    parts = split_fee(Money(101, "CLP"), days(3))
    assert [part.amount.amount_minor for part in parts] == [35, 33, 33]


def test_payments_cover_the_earliest_and_credits_take_the_last() -> None:
    owed = invoice(90, 3, paid=40, credited=30)
    parts = owed.covered(START + timedelta(days=31))
    assert [part.outstanding.amount_minor for part in parts] == [0, 20, 0]
    assert [part.status for part in parts] == ["paid", "overdue", "paid"]


@pytest.mark.parametrize(
    ("paid", "credited", "day", "status"),
    [
        (0, 0, 0, "open"),
        (1, 0, 0, "partly_paid"),
        (1, 0, 1, "overdue"),
        (30, 0, 1, "partly_paid"),
        (30, 0, 31, "overdue"),
        (90, 0, 100, "paid"),
        (30, 60, 100, "paid"),
        (0, 90, 100, "paid"),
    ],
)
def test_status_follows_from_sums_and_the_day(
    paid: int, credited: int, day: int, status: str
) -> None:
    owed = invoice(90, 3, paid=paid, credited=credited)
    assert owed.status(START + timedelta(days=day)) == status


def test_cancelled_invoice_is_never_due() -> None:
    owed = replace(invoice(90, 3), cancelled_at=datetime(2026, 11, 25, tzinfo=UTC))
    assert owed.next_due_on is None
    assert owed.status(START + timedelta(days=400)) == "cancelled"
    assert {part.status for part in owed.covered(START)} == {"cancelled"}
