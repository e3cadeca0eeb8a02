"""How what a gateway holds for us comes to our bank account."""

from datetime import datetime

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.ids import INSTITUTION
from crm.money import Money
from crm.payments.ledger import store
from crm.payments.ledger.models import LedgerTransaction, settlement_postings
from crm.payments.records import record_money


async def record_payout(
    uow: UnitOfWork,
    *,
    gateway: str,
    paid_out: Money,
    fee: Money,
    received_at: datetime,
    effect_key: str,
    actor: Actor,
) -> bool:
    """Enter that a gateway paid out what it held, less its fee.

    Returns: False when the key entered it before.

    Raises: RuleBroken("payout.amount"): negative, or nothing at all.
    """
    gross = paid_out + fee
    if min(paid_out.amount_minor, fee.amount_minor) < 0 or gross.amount_minor == 0:
        raise RuleBroken("payout.amount", "A payout is of some money, and no part is negative.")
    postings = settlement_postings(
        gateway,
        paid_out_minor=paid_out.amount_minor,
        fee_minor=fee.amount_minor,
        currency=gross.currency,
    )
    transaction = LedgerTransaction(
        source_key=f"payout:{effect_key}",
        kind="payout",
        occurred_at=received_at,
        postings=postings,
    )
    if not await store.insert_transactions(uow.conn, [transaction], at=uow.clock.now()):
        return False
    record_money(
        uow,
        "payment.payout",
        about=INSTITUTION,
        actor=actor,
        payload={
            "gateway": gateway,
            "paid_out_minor": paid_out.amount_minor,
            "fee_minor": fee.amount_minor,
            "currency": gross.currency,
        },
        effect_key=f"payout:{effect_key}",
    )
    return True
