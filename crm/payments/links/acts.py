"""How a payment link is made and followed."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.money import Money
from crm.payments import store as payments
from crm.payments.invoices.models import Invoice
from crm.payments.links import store
from crm.payments.models import MANUAL, InvoiceId, Payment, PaymentId
from crm.payments.taking import initiate_payment, locked_invoice


@dataclass(frozen=True, slots=True)
class PaymentLink:
    """An address that leads to where a payment is made.

    Args:
        path: below the deployment's address; holds a token that cannot be guessed.
    """

    payment_id: PaymentId
    invoice_id: InvoiceId
    amount: Money
    path: str


async def make_link(
    uow: UnitOfWork,
    invoice_id: InvoiceId,
    *,
    amount: Money | None,
    gateway: str,
    actor: Actor,
) -> PaymentLink:
    """Make a link to a payment that is under way, or else to a new one.

    Args:
        amount: None asks for the next instalment.

    Raises: as `initiate_payment`.
    """
    invoice = await locked_invoice(uow, invoice_id)
    asked = amount or _next_instalment(invoice)
    payment = await _open_payment(uow, invoice, asked, gateway=gateway, actor=actor)
    token = secrets.token_urlsafe(32)
    await store.insert_link(uow.conn, hash_of(token), payment.id, at=uow.clock.now())
    return PaymentLink(payment.id, invoice_id, payment.amount, f"/pay/{token}")


async def renew_link(
    uow: UnitOfWork, token_hash: bytes, payment: Payment, *, actor: Actor
) -> Payment:
    """Lead a link on to a payment that can be made, if as much is still owed; else leave it.

    A checkout ends after a day; the mail that holds its link is read later.

    Args:
        payment: where the link leads, and can no longer be made.
    """
    invoice = await locked_invoice(uow, payment.invoice_id)
    is_owed = invoice.cancelled_at is None and invoice.outstanding.amount_minor > 0
    if payment.captured.amount_minor or not is_owed:
        return payment
    owed = invoice.outstanding
    asked = payment.amount if payment.amount.amount_minor < owed.amount_minor else owed
    renewed = await _open_payment(uow, invoice, asked, gateway=payment.gateway, actor=actor)
    await store.update_link(uow.conn, token_hash, renewed.id)
    return renewed


async def _open_payment(
    uow: UnitOfWork, invoice: Invoice, amount: Money, *, gateway: str, actor: Actor
) -> Payment:
    """Return a payment of this amount that is under way, or else a new one."""
    others = await payments.select_payments_of(uow.conn, invoice.id)
    payment = next((p for p in others if _serves(p, amount, uow.clock.now())), None)
    return payment or await initiate_payment(
        uow,
        invoice_id=invoice.id,
        amount=amount,
        gateway=gateway,
        effect_key=f"link:{new_id()}",
        actor=actor,
    )


def hash_of(token: str) -> bytes:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode()).digest()


def checkout_of(payment: Payment, now: datetime) -> str:
    """Return where a payment is made.

    Raises: RuleBroken("payment_link.closed"): it was made, given up or has expired.
    """
    url = payment.checkout_url
    if url is None or not payment.is_under_way(now):
        raise RuleBroken("payment_link.closed", "This payment is no longer open.")
    return url


def _next_instalment(invoice: Invoice) -> Money:
    parts = invoice.covered(invoice.created_at.date())
    return next((part.outstanding for part in parts if part.status != "paid"), invoice.outstanding)


def _serves(payment: Payment, amount: Money, now: datetime) -> bool:
    online = payment.gateway not in MANUAL
    return online and payment.is_under_way(now) and payment.amount == amount
