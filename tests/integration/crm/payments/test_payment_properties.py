"""Whatever happens to payments, in any order and however often: the books hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken
from crm.money import Money
from crm.payments import acts, fact_store, store
from crm.payments.fold import fold

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine

    from crm.payments.gateways.protocol import GatewayEvent
    from crm.payments.invoices.models import Invoice
    from crm.payments.models import Payment
    from tests.integration.crm.payments.conftest import Till

T = TypeVar("T")

QUICK = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
KINDS = st.sampled_from(
    [
        *("authorized", "completed", "completed", "failed", "expired", "refunded"),
        *("refund_failed", "disputed", "dispute_won", "dispute_lost"),
    ]
)
REFUSALS = {
    "payment.amount",
    "payment.pending",
    "payment.taken",
    "refund.exceeds",
    "invoice.cancelled",
    "credit.exceeds",
}


class Books(RuleBasedStateMachine):
    """An invoice and everything that can happen to its payments.

    The machine runs in a thread of its own, the database's work in the tests' loop.
    """

    till: Till
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.payments: list[Payment] = []
        self.told: list[GatewayEvent] = []
        self.asked: dict[str, tuple[Payment, int, object]] = {}

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def attempt(self, work: Coroutine[Any, Any, T]) -> T | None:
        try:
            return self.call(work)
        except RuleBroken as refused:
            if refused.code not in REFUSALS:
                raise
            return None

    def any_payment(self, data: st.DataObject) -> Payment | None:
        return data.draw(st.sampled_from(self.payments)) if self.payments else None

    @initialize(net=st.integers(0, 200), count=st.integers(1, 4), paid=st.integers(0, 100))
    def raise_invoice(self, net: int, count: int, paid: int) -> None:
        self.invoice: Invoice = self.call(self.till.invoice(net, *range(1, count + 1)))
        if 0 < paid <= net:
            self.begin_with(paid)
            event = self.till.event(self.payments[0], "completed", paid)
            assert self.call(self.till.service.receive(event))

    @rule(amount=st.integers(1, 100))
    def begin(self, amount: int) -> None:
        self.begin_with(amount)

    def begin_with(self, amount: int) -> None:
        begun = self.attempt(self.till.begin(self.invoice, amount))
        self.payments += [begun] if begun else []

    @rule(amount=st.integers(1, 100))
    def take_cash(self, amount: int) -> None:
        taking = self.till.service.take_by_hand(
            invoice_id=self.invoice.id,
            amount=Money(amount, "PEN"),
            method="cash",
            actor=self.till.advisor,
        )
        self.attempt(taking)

    @rule(data=st.data(), kind=KINDS, amount=st.integers(1, 120), mine=st.booleans())
    def tell(self, data: st.DataObject, kind: str, amount: int, mine: bool) -> None:
        payment = self.any_payment(data)
        if payment is None:
            return
        asked = [r for p, _, r in self.asked.values() if p.id == payment.id]
        refund: Any = data.draw(st.sampled_from(asked)) if asked and mine else None
        refund_id = refund.id if refund is not None and kind.startswith("refund") else None
        moves = kind not in ("authorized", "failed", "expired")
        event = self.till.event(payment, kind, amount if moves else None, refund_id=refund_id)
        assert self.call(self.till.service.receive(event))
        self.told.append(event)

    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        if self.told:
            event = data.draw(st.sampled_from(self.told))
            assert not self.call(self.till.service.receive(event))

    @rule(data=st.data(), amount=st.integers(1, 100))
    def refund(self, data: st.DataObject, amount: int) -> None:
        payment = self.any_payment(data)
        if payment is None:
            return
        key = f"{payment.id}:{len(self.asked)}"
        left = self.call(self.till.payment(payment.id)).refundable.amount_minor
        refund = self.attempt(self.till.refund(payment, amount, effect_key=key))
        assert (refund is not None) == (amount <= left)
        if refund is not None:
            self.asked[key] = (payment, amount, refund)

    @rule(data=st.data())
    def refund_again(self, data: st.DataObject) -> None:
        if self.asked:
            key = data.draw(st.sampled_from(list(self.asked)))
            payment, amount, refund = self.asked[key]
            again: Any = self.call(self.till.refund(payment, amount, effect_key=key))
            assert again.id == refund.id  # type: ignore[attr-defined]

    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        if (payment := self.any_payment(data)) is not None:
            self.attempt(self.till.void(payment))

    @rule(amount=st.integers(1, 100))
    def credit(self, amount: int) -> None:
        crediting = self.till.service.credit_invoice(
            self.invoice.id, Money(amount, "PEN"), reason="goodwill", actor=self.till.advisor
        )
        self.attempt(crediting)

    @rule(yes=st.integers(0, 3))
    def cancel(self, yes: int) -> None:
        if yes == 0:
            self.call(self.till.cancel(self.invoice))

    @rule()
    def work(self) -> None:
        self.till.clock.advance(timedelta(seconds=30))
        self.call(self.till.service.run_due())

    @invariant()
    def holds(self) -> None:
        self.call(check(self.till, self.invoice))


async def check(till: Till, invoice: Invoice) -> None:
    """Invariants 3, 4 and 5 of the design, and that lists say what the events say."""
    now = await till.seen(invoice)
    assert sum(part.amount.amount_minor for part in now.instalments) == now.net.amount_minor
    assert await till.owed(invoice) == now.outstanding.amount_minor
    left = sum(p.outstanding.amount_minor for p in now.covered(till.due(0)[0]))
    assert left == max(0, now.outstanding.amount_minor)
    if now.cancelled_at is not None:
        assert now.is_settled
    async with till.database.read() as conn:
        payments = await store.select_payments_of(conn, invoice.id)
        states = {p.id: fold(await fact_store.select_facts(conn, p.id)) for p in payments}
        due = await conn.execute("SELECT next_due_on FROM invoices WHERE id = %s", [invoice.id])
        row: Any = await due.fetchone()
    assert row["next_due_on"] == now.next_due_on
    for payment in payments:
        state = states[payment.id]
        assert payment.settled.amount_minor == state.settled_minor >= 0
        assert (payment.refunded + payment.refund_pending).amount_minor <= state.captured_minor
        assert payment.status == state.status
    assert now.paid.amount_minor == sum(s.settled_minor for s in states.values())


async def test_books_hold_whatever_happens(till: Till) -> None:
    Books.till, Books.loop = till, asyncio.get_running_loop()
    case = Books.TestCase
    case.settings = QUICK
    await asyncio.to_thread(case("runTest").runTest)
    totals = await till.service.ledger_totals(actor=till.advisor)
    assert sum(balance for *_, balance in totals) == 0


Story = list[tuple[str, int]]


async def tell(till: Till, story: Story, order: list[int]) -> tuple[object, ...]:
    """Tell a new payment a story in some order, and return what came of it."""
    payment = await till.opened(await till.invoice(200), 100)
    invoice = (await till.service.get_invoice(payment.invoice_id, actor=SERVICE_ACTOR)).invoice
    async with till.database.transaction() as uow:
        await acts.void_payment(uow, payment.id, actor=SERVICE_ACTOR)
    before = await till.balances()
    events = [till.event(payment, kind, amount) for kind, amount in story]
    for number in order:
        await till.service.receive(events[number])
    after = await till.payment(payment.id)
    now = await till.balances()
    debtor = str(invoice.debtor_id)
    moved = {
        code.replace(debtor, "debtor"): now.get(code, 0) - before.get(code, 0)
        for code in {**before, **now}
    }
    amounts = (after.captured, after.refunded, after.disputed, after.lost)
    return after.status, amounts, {code: amount for code, amount in moved.items() if amount}


async def test_order_and_multiplicity_of_events_change_nothing(till: Till) -> None:
    loop = asyncio.get_running_loop()
    stories = st.lists(st.tuples(KINDS, st.integers(1, 150)), min_size=2, max_size=6)

    @settings(QUICK, max_examples=30)
    @given(stories, st.randoms(use_true_random=False))
    def same(story: Story, dice: random.Random) -> None:
        straight = list(range(len(story)))
        shuffled = [*straight, *dice.choices(straight, k=4)]
        dice.shuffle(shuffled)
        results = [
            asyncio.run_coroutine_threadsafe(tell(till, story, order), loop).result()
            for order in (straight, shuffled)
        ]
        assert results[0] == results[1]

    await asyncio.to_thread(same)
