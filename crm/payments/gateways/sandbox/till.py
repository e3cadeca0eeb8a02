"""What happens to checkouts, each act in the caller's transaction: paid, declined, refunded."""

from datetime import timedelta
from typing import Final

from crm.db import Connection, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.money import Money
from crm.payments.gateways.protocol import EventKind, GatewayRefused, RefundOrder
from crm.payments.gateways.sandbox import store
from crm.payments.gateways.sandbox.models import (
    CheckoutStatus,
    NewEvent,
    Outcome,
    SandboxCheckout,
    SandboxRefund,
)

_NOW: Final = timedelta(0)


async def require_checkout(
    conn: Connection, checkout_id: str, *, lock: bool = False
) -> SandboxCheckout:
    """Return a checkout.

    Raises: NotFound("gateway.unknown").
    """
    checkout = await store.select_checkout(conn, checkout_id, lock=lock)
    if checkout is None:
        raise NotFound("gateway.unknown", "There is no such checkout.")
    return checkout


async def decide(uow: UnitOfWork, checkout_id: str, outcome: Outcome) -> None:
    """Do what the payer chose, once; nothing when the checkout is no longer open.

    Raises: NotFound("gateway.unknown").
    """
    checkout = await require_checkout(uow.conn, checkout_id, lock=True)
    if not checkout.is_open(uow.clock.now()):
        return
    if outcome == "pay":
        await _close(uow, checkout, "paid", ("authorized", "completed"))
    else:
        await _close(uow, checkout, "declined", ("failed",))


async def expire(uow: UnitOfWork, checkout_id: str) -> CheckoutStatus:
    """Close a checkout that is open, and return its state.

    Raises: NotFound("gateway.unknown").
    """
    checkout = await require_checkout(uow.conn, checkout_id, lock=True)
    if checkout.status != "open":
        return checkout.status
    await _close(uow, checkout, "expired", ("expired",))
    return "expired"


async def expire_due(uow: UnitOfWork, limit: int) -> int:
    """Close the checkouts whose time is over, and return how many."""
    due = await store.lock_expired(uow.conn, at=uow.clock.now(), limit=limit)
    for checkout in due:
        await _close(uow, checkout, "expired", ("expired",))
    return len(due)


async def refund(uow: UnitOfWork, order: RefundOrder) -> SandboxRefund:
    """Give back a part of what was paid, once a refund id.

    Raises: GatewayRefused("gateway.mismatch" | "refund.unpaid" | "refund.disputed" |
        "refund.exceeds").
    """
    checkout = await require_checkout(uow.conn, order.gateway_ref, lock=True)
    known = await store.select_refund(uow.conn, order.refund_id)
    if known is not None:
        _check_same(known, checkout, order)
        return known
    await _check_refundable(uow.conn, checkout, order.amount)
    behaviour = await store.select_behaviour(uow.conn, checkout.payment_id)
    wait = timedelta(seconds=behaviour.refund_delay_s) if behaviour.refund_waits else _NOW
    new = SandboxRefund(
        order.refund_id,
        checkout.id,
        order.amount.amount_minor,
        "pending" if behaviour.refund_waits else behaviour.refund_outcome,
        behaviour.refund_outcome,
    )
    await store.insert_refund(uow.conn, new, settles_at=uow.clock.now() + wait)
    await _tell_refund(uow, checkout, new)
    return new


async def settle_due(uow: UnitOfWork, limit: int) -> int:
    """End the pending refunds whose time has come, and return how many."""
    settled = await store.settle_refunds(uow.conn, at=uow.clock.now(), limit=limit)
    for each in settled:
        await _tell_refund(uow, await require_checkout(uow.conn, each.checkout_id), each)
    return len(settled)


async def open_dispute(uow: UnitOfWork, checkout_id: str, amount_minor: int | None) -> None:
    """Take disputed money back from the institution: all of it unless an amount is given.

    Raises: RuleBroken("dispute.unpaid" | "dispute.amount" | "dispute.exists").
    """
    checkout = await require_checkout(uow.conn, checkout_id, lock=True)
    if checkout.status != "paid":
        raise RuleBroken("dispute.unpaid", "Nothing was paid that could be disputed.")
    left = checkout.amount.amount_minor - await store.sum_refunds(uow.conn, checkout_id)
    disputed = left if amount_minor is None else amount_minor
    if not 0 < disputed <= left:
        raise RuleBroken("dispute.amount", "So much cannot be disputed.")
    if not await store.insert_dispute(uow.conn, checkout_id, disputed):
        raise RuleBroken("dispute.exists", "There is a dispute already.")
    await _tell(uow, checkout, ("disputed",), Money(disputed, checkout.amount.currency))


async def decide_dispute(uow: UnitOfWork, checkout_id: str, *, won: bool) -> None:
    """Decide a dispute; the institution gets the money back when it wins.

    Raises: RuleBroken("dispute.none").
    """
    checkout = await require_checkout(uow.conn, checkout_id, lock=True)
    minor = await store.decide_dispute(uow.conn, checkout_id, "won" if won else "lost")
    if minor is None:
        raise RuleBroken("dispute.none", "There is no open dispute.")
    kind: EventKind = "dispute_won" if won else "dispute_lost"
    await _tell(uow, checkout, (kind,), Money(minor, checkout.amount.currency))


def _check_same(known: SandboxRefund, checkout: SandboxCheckout, order: RefundOrder) -> None:
    if (known.checkout_id, known.amount_minor) != (checkout.id, order.amount.amount_minor):
        raise GatewayRefused("gateway.mismatch", "The refund was ordered differently before.")


async def _check_refundable(conn: Connection, checkout: SandboxCheckout, amount: Money) -> None:
    if checkout.status != "paid":
        raise GatewayRefused("refund.unpaid", "Nothing was paid that could be given back.")
    if await store.is_disputed(conn, checkout.id):
        raise GatewayRefused("refund.disputed", "The payment is in dispute.")
    refunded = Money(await store.sum_refunds(conn, checkout.id), amount.currency)
    left = checkout.amount - refunded
    if not 0 < amount.amount_minor <= left.amount_minor:
        raise GatewayRefused("refund.exceeds", "So much cannot be given back.")


async def _close(
    uow: UnitOfWork,
    checkout: SandboxCheckout,
    status: CheckoutStatus,
    kinds: tuple[EventKind, ...],
) -> None:
    await store.close_checkouts(uow.conn, [checkout.id], status, at=uow.clock.now())
    await _tell(uow, checkout, kinds, checkout.amount if status == "paid" else None)


async def _tell_refund(uow: UnitOfWork, checkout: SandboxCheckout, given: SandboxRefund) -> None:
    if given.status == "pending":
        return
    kind: EventKind = "refunded" if given.status == "done" else "refund_failed"
    amount = Money(given.amount_minor, checkout.amount.currency)
    await _log(
        uow, [NewEvent(checkout=checkout, kind=kind, amount=amount, refund_id=given.refund_id)]
    )


async def _tell(
    uow: UnitOfWork, checkout: SandboxCheckout, kinds: tuple[EventKind, ...], amount: Money | None
) -> None:
    await _log(uow, [NewEvent(checkout=checkout, kind=kind, amount=amount) for kind in kinds])


async def _log(uow: UnitOfWork, events: list[NewEvent]) -> None:
    """Write down what happened to one checkout, and plan how it is reported."""
    now = uow.clock.now()
    behaviour = await store.select_behaviour(uow.conn, events[0].checkout.payment_id)
    new = await store.insert_events(uow.conn, events, at=now)
    await store.insert_deliveries(
        uow.conn,
        [
            (
                event_id,
                behaviour.rank(event_id, copy, in_order=ordinal),
                now + behaviour.delay(event_id, copy),
                behaviour.drops(event_id),
            )
            for event_id, ordinal in new
            for copy in range(behaviour.copies(event_id))
        ],
    )
