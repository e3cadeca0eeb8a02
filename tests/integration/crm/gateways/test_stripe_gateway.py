"""Stripe is asked as its documentation demands, and what it says is understood.

The server here stands in for Stripe; nothing in these tests leaves the machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import stripe as sdk

from crm.clock import FixedClock
from crm.errors import NotFound, RuleBroken, Unauthenticated, Unavailable
from crm.ids import new_id
from crm.money import Money
from crm.payments.gateways.protocol import CheckoutOrder, GatewayRefused, RefundOrder
from crm.payments.gateways.stripe import calls
from crm.payments.gateways.stripe.gateway import StripeGateway
from tests.integration.crm.conftest import NOW
from tests.stripe_server import KEY, StripeServer, stripe_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from crm.payments.gateways.protocol import GatewayEvent

WEBHOOK_SECRET = "whsec_of_these_tests"
PRICE = Money(1_890_00, "USD")


@dataclass
class Account:
    """Our side and Stripe's."""

    server: StripeServer
    gateway: StripeGateway
    clock: FixedClock

    def order(self, amount: Money = PRICE, *, minutes: int = 60) -> CheckoutOrder:
        return CheckoutOrder(
            payment_id=new_id(),
            amount=amount,
            description="Python para datos & más",
            locale="es",
            return_url="https://andino.example/me?a=1&b=2",
            expires_at=self.clock.now() + timedelta(minutes=minutes),
        )

    async def paid(self, amount: Money = PRICE) -> tuple[CheckoutOrder, str, str]:
        """Have a payment paid; return its order, session and payment intent."""
        order = self.order(amount)
        ref = (await self.gateway.create_checkout(order)).gateway_ref
        return order, ref, str(self.server.pay(ref)["id"])

    def refund_of(self, order: CheckoutOrder, ref: str, minor: int) -> RefundOrder:
        return RefundOrder(
            refund_id=new_id(),
            payment_id=order.payment_id,
            gateway_ref=ref,
            amount=Money(minor, order.amount.currency),
            reason="withdrawal",
        )

    async def hears(
        self, kind: str, thing: dict[str, Any], *, late: timedelta = timedelta(0)
    ) -> tuple[GatewayEvent, ...]:
        """Read a webhook that Stripe signs now."""
        event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": thing}}
        body = json.dumps({**event, "created": int(self.clock.now().timestamp())})
        signed_at = int(self.clock.now().timestamp())
        header = sdk.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, signed_at)
        now = self.clock.now() + late
        return await self.gateway.read_webhook({"stripe-signature": header}, body.encode(), now=now)


@pytest.fixture(scope="module")
def server() -> Iterator[StripeServer]:
    with stripe_server(FixedClock(NOW)) as running:
        yield running


@pytest.fixture
async def account(server: StripeServer) -> AsyncIterator[Account]:
    clock = FixedClock(NOW)
    server.clock, server.refunds_end = clock, "succeeded"
    for kept in (server.faults, server.requests, server.refunds, server.bookings, server.disputes):
        kept.clear()
    gateway = StripeGateway(
        secret_key=KEY, webhook_secret=WEBHOOK_SECRET, api_base=server.base_url, clock=clock
    )
    yield Account(server, gateway, clock)
    await gateway.aclose()


async def test_checkout_asks_for_exactly_what_was_ordered(account: Account) -> None:
    order = account.order()
    checkout = await account.gateway.create_checkout(order)
    method, path, sent = account.server.requests[-1]
    assert (method, path) == ("POST", "/v1/checkout/sessions")
    assert sent["line_items[0][price_data][unit_amount]"] == "189000"
    assert sent["line_items[0][price_data][product_data][name]"] == "Python para datos & más"
    assert sent["success_url"] == "https://andino.example/me?a=1&b=2"
    assert checkout.expires_at == order.expires_at
    assert checkout.url.startswith("https://checkout.example/")


async def test_one_payment_has_one_checkout(account: Account) -> None:
    order = account.order()
    assert await account.gateway.create_checkout(order) == await account.gateway.create_checkout(
        order
    )


async def test_answer_that_got_lost_is_had_again(account: Account) -> None:
    order, before = account.order(), len(account.server.sessions)
    account.server.faults.append("html")
    with pytest.raises(Unavailable):
        await account.gateway.create_checkout(order)
    await account.gateway.create_checkout(order)
    await account.gateway.create_checkout(order)
    assert len(account.server.sessions) == before + 1


async def test_failure_that_stripe_keeps_is_got_round(account: Account) -> None:
    order = account.order()
    account.server.faults.append("500")
    with pytest.raises(Unavailable, match=r"gateway\.unavailable"):
        await account.gateway.create_checkout(order)
    assert (await account.gateway.create_checkout(order)).url


@pytest.mark.parametrize("minutes", [5, 3 * 24 * 60])
async def test_end_that_stripe_does_not_take_is_left_to_it(account: Account, minutes: int) -> None:
    checkout = await account.gateway.create_checkout(account.order(minutes=minutes))
    assert checkout.expires_at == NOW + timedelta(days=1)


async def test_order_repeated_when_less_time_is_left_still_opens(account: Account) -> None:
    order = account.order(minutes=60)
    first = await account.gateway.create_checkout(order)
    account.clock.advance(timedelta(minutes=40))
    again = await account.gateway.create_checkout(order)
    assert again.gateway_ref != first.gateway_ref


@pytest.mark.parametrize(
    ("fault", "code"), [("429", "gateway.rate_limited"), ("html", "gateway.unavailable")]
)
async def test_passing_trouble_may_be_tried_again(account: Account, fault: str, code: str) -> None:
    account.server.faults.append(fault)
    with pytest.raises(Unavailable) as failure:
        await account.gateway.create_checkout(account.order())
    assert failure.value.code == code


async def test_silence_ends_by_itself(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "TIMEOUT_S", 0.2)
    hasty = StripeGateway(
        secret_key=KEY,
        webhook_secret=WEBHOOK_SECRET,
        api_base=account.server.base_url,
        clock=account.clock,
    )
    account.server.faults.append("hang")
    with pytest.raises(Unavailable):
        await hasty.create_checkout(account.order())
    await hasty.aclose()


async def test_wrong_key_is_for_an_operator_to_mend(account: Account) -> None:
    stranger = StripeGateway(
        secret_key="sk_wrong",
        webhook_secret=WEBHOOK_SECRET,
        api_base=account.server.base_url,
        clock=account.clock,
    )
    with pytest.raises(Unavailable, match=r"gateway\.credentials"):
        await stranger.create_checkout(account.order())
    await stranger.aclose()


async def test_amount_that_stripe_cannot_take_is_refused_unasked(account: Account) -> None:
    with pytest.raises(GatewayRefused, match=r"gateway\.amount"):
        await account.gateway.create_checkout(account.order(Money(1_234_567, "KWD")))
    assert account.server.requests == []


@pytest.mark.parametrize("amount", [Money(189_000, "CLP"), Money(1_234_560, "KWD")])
async def test_other_decimals_arrive_as_they_left(account: Account, amount: Money) -> None:
    _, ref, _ = await account.paid(amount)
    (event,) = await account.gateway.fetch(ref)
    assert (event.kind, event.amount) == ("completed", amount)


async def test_cancelled_checkout_is_closed(account: Account) -> None:
    order = account.order()
    ref = (await account.gateway.create_checkout(order)).gateway_ref
    for _ in range(2):
        assert await account.gateway.cancel_checkout(order.payment_id, ref) == "cancelled"
    assert [e.kind for e in await account.gateway.fetch(ref)] == ["expired"]


async def test_cancelling_what_is_paid_says_so(account: Account) -> None:
    order, ref, _ = await account.paid()
    assert await account.gateway.cancel_checkout(order.payment_id, ref) == "paid"


async def test_unknown_checkout_is_not_found(account: Account) -> None:
    with pytest.raises(NotFound, match=r"gateway\.unknown"):
        await account.gateway.fetch("cs_none")
    with pytest.raises(NotFound, match=r"gateway\.unknown"):
        await account.gateway.cancel_checkout(new_id(), "cs_none")


async def test_refund_happens_once_even_when_the_key_is_forgotten(account: Account) -> None:
    order, ref, _ = await account.paid()
    asked = account.refund_of(order, ref, 90_00)
    first = await account.gateway.refund(asked)
    account.server.forget_keys()
    assert await account.gateway.refund(asked) == first
    assert len(account.server.refunds) == 1
    assert first.state == "done"


async def test_refund_whose_answer_got_lost_is_found(account: Account) -> None:
    order, ref, _ = await account.paid()
    asked = account.refund_of(order, ref, 90_00)
    account.server.faults.extend(["", "", "500_after"])
    with pytest.raises(Unavailable):
        await account.gateway.refund(asked)
    assert (await account.gateway.refund(asked)).state == "done"
    assert len(account.server.refunds) == 1


async def test_too_large_a_refund_is_refused(account: Account) -> None:
    order, ref, _ = await account.paid()
    with pytest.raises(GatewayRefused, match=r"gateway\.refused"):
        await account.gateway.refund(account.refund_of(order, ref, 1_890_01))


async def test_unpaid_checkout_gives_nothing_back(account: Account) -> None:
    order = account.order()
    ref = (await account.gateway.create_checkout(order)).gateway_ref
    with pytest.raises(GatewayRefused, match=r"refund\.unpaid"):
        await account.gateway.refund(account.refund_of(order, ref, 1))


async def test_webhook_and_fetch_say_the_same(account: Account) -> None:
    order, ref, intent = await account.paid()
    await account.gateway.refund(account.refund_of(order, ref, 90_00))
    server = account.server
    dispute = server.dispute(intent, 100_00, "lost")
    heard = [
        *await account.hears("checkout.session.completed", server.sessions[ref]),
        *await account.hears("refund.created", next(iter(server.refunds.values()))),
        *await account.hears("charge.dispute.closed", dispute),
    ]
    fetched = await account.gateway.fetch(ref)
    assert {e.event_id for e in heard} == {e.event_id for e in fetched}
    assert {e.payment_id for e in heard} == {order.payment_id}
    assert [e.kind for e in fetched] == ["completed", "refunded", "disputed", "dispute_lost"]


async def test_debit_that_takes_days_is_authorised_first(account: Account) -> None:
    ref = (await account.gateway.create_checkout(account.order())).gateway_ref
    intent = account.server.pay(ref, status="unpaid")
    session = account.server.sessions[ref]
    (first,) = await account.hears("checkout.session.completed", session)
    (failed,) = await account.hears("checkout.session.async_payment_failed", session)
    assert (first.kind, failed.kind) == ("authorized", "failed")
    intent["status"] = "requires_payment_method"
    assert await account.gateway.fetch(ref) != ()
    assert (await account.gateway.fetch(ref))[0].event_id == failed.event_id
    session["payment_status"] = "paid"
    (paid,) = await account.hears("checkout.session.async_payment_succeeded", session)
    assert (paid.kind, paid.amount) == ("completed", PRICE)


async def test_expired_checkout_is_reported(account: Account) -> None:
    order = account.order()
    ref = (await account.gateway.create_checkout(order)).gateway_ref
    await account.gateway.cancel_checkout(order.payment_id, ref)
    (event,) = await account.hears("checkout.session.expired", account.server.sessions[ref])
    assert (event.kind, event.amount) == ("expired", None)


async def test_charge_refunded_is_every_refund_of_it(account: Account) -> None:
    order, ref, intent = await account.paid()
    for minor in (10_00, 20_00):
        await account.gateway.refund(account.refund_of(order, ref, minor))
    charge = {"id": f"ch_{intent}", "object": "charge", "payment_intent": intent, "metadata": {}}
    events = await account.hears("charge.refunded", charge)
    assert sorted(e.amount.amount_minor for e in events if e.amount) == [10_00, 20_00]


async def test_refund_may_fail_after_it_succeeded(account: Account) -> None:
    order, ref, _ = await account.paid()
    asked = account.refund_of(order, ref, 90_00)
    await account.gateway.refund(asked)
    refund = next(iter(account.server.refunds.values()))
    (done,) = await account.hears("refund.updated", refund)
    (failed,) = await account.hears("refund.failed", {**refund, "status": "failed"})
    assert (done.kind, failed.kind) == ("refunded", "refund_failed")
    assert done.refund_id == failed.refund_id == asked.refund_id
    assert done.event_id != failed.event_id


async def test_pending_refund_says_nothing_yet(account: Account) -> None:
    account.server.refunds_end = "pending"
    order, ref, _ = await account.paid()
    result = await account.gateway.refund(account.refund_of(order, ref, 90_00))
    assert result.state == "pending"
    assert await account.hears("refund.created", next(iter(account.server.refunds.values()))) == ()


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
async def test_inquiry_moves_no_money(account: Account, status: str) -> None:
    _, _, intent = await account.paid()
    dispute = account.server.dispute(intent, 100_00, status)
    assert await account.hears("charge.dispute.created", dispute) == ()


async def test_what_others_sell_with_the_account_is_not_ours(account: Account) -> None:
    session = {"id": "cs_other", "status": "complete", "payment_status": "paid", "metadata": {}}
    with pytest.raises(NotFound, match=r"payment\.unknown"):
        await account.hears("checkout.session.completed", session)


async def test_webhook_of_another_kind_says_nothing(account: Account) -> None:
    assert await account.hears("customer.created", {"id": "cus_1"}) == ()


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_time_of_a_webhook_is_judged_by_our_clock(account: Account, late: timedelta) -> None:
    with pytest.raises(Unauthenticated, match=r"webhook\.stale"):
        await account.hears("customer.created", {"id": "cus_1"}, late=late)


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "v1=00", "t=x,v1=é", f"t={10**30},v1=0"])
async def test_forged_webhook_is_refused(account: Account, header: str) -> None:
    with pytest.raises(Unauthenticated, match=r"webhook\.signature"):
        await account.gateway.read_webhook({"stripe-signature": header}, b"\xff{}", now=NOW)


@pytest.mark.parametrize("thing", [{}, {"id": "cs_1", "metadata": {"payment_id": str(new_id())}}])
async def test_signed_nonsense_breaks_nothing(account: Account, thing: dict[str, Any]) -> None:
    paid = {**thing, "payment_status": "paid"}
    with pytest.raises((RuleBroken, NotFound)):
        await account.hears("checkout.session.completed", paid)


async def test_movements_are_in_the_currency_of_the_payment(account: Account) -> None:
    order, ref, intent = await account.paid()
    asked = account.refund_of(order, ref, 90_00)
    await account.gateway.refund(asked)
    dispute = account.server.dispute(intent, 100_00, "lost")
    account.server.book("adjustment", dispute, -100_00)
    account.server.book("stripe_fee", {"id": "fee_1", "object": "fee"}, -3)
    until = NOW + timedelta(minutes=1)
    found = [m async for m in account.gateway.list_movements(since=NOW, until=until)]
    assert {(m.kind, m.amount) for m in found} == {
        ("capture", PRICE),
        ("refund", Money(90_00, "USD")),
        ("dispute", Money(100_00, "USD")),
    }
    assert {m.refund_id for m in found} == {None, asked.refund_id}


async def test_every_page_of_the_movements_is_read(account: Account) -> None:
    for number in range(230):
        charge = {"id": f"ch_{number}", "object": "charge", "amount": 1, "currency": "usd"}
        account.server.book("charge", charge, 1)
    until = NOW + timedelta(minutes=1)
    found = [m async for m in account.gateway.list_movements(since=NOW, until=until)]
    assert len({m.movement_id for m in found}) == 230
