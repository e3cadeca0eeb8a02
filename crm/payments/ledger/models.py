"""Accounts and what moves between them: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from crm.errors import RuleBroken
from crm.payments.fold import PaymentState
from crm.payments.models import MANUAL

AccountKind = Literal[
    "receivable", "revenue", "clearing", "cash", "refunds_payable", "disputes", "bank_fees"
]


@dataclass(frozen=True, slots=True)
class Account:
    """A place where money stands.

    Args:
        owner_id: the debtor of a receivable, a pseudonym.
        gateway: of clearing and disputes; the method of cash.
    """

    kind: AccountKind
    currency: str
    owner_id: UUID | None = None
    gateway: str | None = None

    @property
    def code(self) -> str:
        """Return its name in the books."""
        middle = [str(part) for part in (self.owner_id, self.gateway) if part is not None]
        return ":".join([self.kind, *middle, self.currency])


Postings = Mapping[Account, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTransaction:
    """Money that moves between accounts; debits are positive.

    Args:
        source_key: names what moved it; moved once a key.
        kind: the fact that moved it.
    Raises: RuleBroken("ledger.unbalanced").
    """

    source_key: str
    kind: str
    occurred_at: datetime
    postings: Postings
    invoice_id: UUID | None = None
    payment_id: UUID | None = None

    def __post_init__(self) -> None:
        sums: dict[str, int] = {}
        for account, amount in self.postings.items():
            sums[account.currency] = sums.get(account.currency, 0) + amount
        if any(sums.values()):
            raise RuleBroken("ledger.unbalanced", "Debits and credits differ.")


def payment_balances(
    state: PaymentState, *, debtor_id: UUID, gateway: str, currency: str
) -> dict[Account, int]:
    """Return what a payment in this state leaves on each account.

    Every fact posts the difference between the state before it and the one after, so that the
    books depend on what happened and never on the order in which it was told.
    """
    held = "cash" if gateway in MANUAL else "clearing"
    taken = state.captured_minor - state.refunded_minor - state.lost_minor
    return {
        Account(held, currency, gateway=gateway): taken - state.disputed_minor,  # type: ignore[arg-type]
        Account("receivable", currency, owner_id=debtor_id): -state.settled_minor,
        Account("refunds_payable", currency): -state.refund_pending_minor,
        Account("disputes", currency, gateway=gateway): state.disputed_minor,
    }


def difference(before: Postings, after: Postings) -> dict[Account, int]:
    """Return what must move to come from one standing to another."""
    moves = {a: after.get(a, 0) - before.get(a, 0) for a in {**before, **after}}
    return {account: amount for account, amount in moves.items() if amount}


def invoice_postings(debtor_id: UUID, amount_minor: int, currency: str) -> dict[Account, int]:
    """Return what an invoice moves; a credit note moves a negative amount."""
    moves = {
        Account("receivable", currency, owner_id=debtor_id): amount_minor,
        Account("revenue", currency): -amount_minor,
    }
    return moves if amount_minor else {}


def settlement_postings(
    gateway: str, *, paid_out_minor: int, fee_minor: int, currency: str
) -> dict[Account, int]:
    """Return what moves when a gateway pays out what it holds for us, less its fee."""
    moves = {
        Account("cash", currency, gateway="transfer"): paid_out_minor,
        Account("bank_fees", currency): fee_minor,
        Account("clearing", currency, gateway=gateway): -(paid_out_minor + fee_minor),
    }
    return {account: amount for account, amount in moves.items() if amount}
