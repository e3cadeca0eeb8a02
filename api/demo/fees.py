"""Makes up what students owe and paid, by the rules that the books follow."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from api.demo.business_rows import (
    CreditNoteRow,
    InstalmentRow,
    InvoiceRow,
    LedgerTransactionRow,
    PaymentEventRow,
    PaymentRow,
    PostingRow,
    RefundRow,
)
from api.demo.interests import Seat
from api.demo.rows import Batch
from api.demo.seeded_ids import Kind, seeded_id
from api.demo.students import Student
from crm.ids import PersonId
from crm.money import Money
from crm.payments.fold import fold
from crm.payments.invoices.crediting import invoice_transaction, note_transaction
from crm.payments.invoices.models import CreditNote, Instalment, Invoice, split_fee
from crm.payments.ledger.models import LedgerTransaction
from crm.payments.ledger.replay import stream_transactions
from crm.payments.models import Fact, InvoiceId, Payment, PaymentId, RefundId, begin_payment

_METHODS = ("transfer", "cash")
_IN_PARTS = 0.6
_PARTS = 3
_PAYS = {"completed": 0.97, "confirmed": 0.85}
_MONTH = timedelta(days=30)
_WITHDREW = "withdrawn"
_MOST_TRANSACTIONS = 64


class FeeMaker:
    """Writes invoices, payments and their postings into a batch.

    Nothing of it went through a gateway, so that reconciling with one finds nothing amiss.

    Args:
        now: nothing was paid after it.
    """

    def __init__(self, *, seed: int, now: datetime) -> None:
        self._seed = seed
        self._now = now

    def write(
        self, student: Student, number: int, seat: Seat, dice: random.Random, batch: Batch
    ) -> None:
        """Add the invoice of a student's enrolment and what became of it.

        Args:
            number: of the enrolment among the student's.
        """
        invoice = self._invoice(student, number, seat, dice)
        paid: list[tuple[Payment, list[Fact]]] = []
        for part, at in self._payments_of(invoice, seat, dice):
            paid.append(self._pay(student, invoice, number * 8 + part.number, part, at, dice))
        note = None
        if seat.row.status == "withdrawn" and seat.row.ended_at is not None:
            if dice.random() < 0.5:
                self._refund(student, paid, number, seat.row.ended_at, batch)
            invoice = replace(invoice, paid=_settled(paid, invoice))
            note = self._credit(student, invoice, number, seat.row.ended_at)
            invoice = replace(
                invoice,
                credited=note.amount if note else invoice.credited,
                cancelled_at=seat.row.ended_at,
                cancel_reason=_WITHDREW,
            )
        self._store(replace(invoice, paid=_settled(paid, invoice)), paid, note, batch)
        self._post(student, number, invoice, paid, note, batch)

    def _invoice(self, student: Student, number: int, seat: Seat, dice: random.Random) -> Invoice:
        net = Money(seat.course.price_minor, seat.course.currency)
        nothing = Money(0, net.currency)
        parts = _PARTS if dice.random() < _IN_PARTS else 1
        first = seat.row.confirmed_at.date()
        person_id = PersonId(UUID(student.id))
        return Invoice(
            id=InvoiceId(UUID(seeded_id(self._seed, Kind.INVOICE, student.index, number))),
            number=0,
            reference=f"enrolment:{seat.row.id}",
            person_id=person_id,
            debtor_id=person_id,
            net=net,
            credited=nothing,
            paid=nothing,
            instalments=split_fee(net, [first + _MONTH * n for n in range(parts)]),
            cancelled_at=None,
            cancel_reason=None,
            created_at=seat.row.confirmed_at,
        )

    def _payments_of(
        self, invoice: Invoice, seat: Seat, dice: random.Random
    ) -> list[tuple[Instalment, datetime]]:
        """Return which instalments were paid, and when: the first at once, the rest as they go."""
        if invoice.net.amount_minor == 0:
            return []
        made = [(invoice.instalments[0], invoice.created_at)]
        for part in invoice.instalments[1:]:
            at = _noon(part.due_on - timedelta(days=dice.randint(1, 5)), self._now)
            likely = _PAYS.get(seat.row.status, 0.0)
            if at > self._now or dice.random() >= likely:
                break
            made.append((part, at))
        return made

    def _pay(
        self,
        student: Student,
        invoice: Invoice,
        number: int,
        part: Instalment,
        at: datetime,
        dice: random.Random,
    ) -> tuple[Payment, list[Fact]]:
        payment_id = seeded_id(self._seed, Kind.PAYMENT, student.index, number)
        method = dice.choices(_METHODS, (4, 1))[0]
        key = f"demo:{payment_id}"
        told = {"invoice_id": str(invoice.id), "gateway": method}
        facts = [
            Fact(
                kind="initiated",
                source_key=f"initiated:{key}",
                occurred_at=at,
                amount=part.amount,
                data=told,
            ),
            Fact(
                kind="completed",
                source_key=f"{method}:{key}",
                occurred_at=at,
                amount=part.amount,
            ),
        ]
        payment = begin_payment(
            PaymentId(UUID(payment_id)),
            invoice_id=invoice.id,
            person_id=invoice.person_id,
            gateway=method,
            amount=part.amount,
            at=at,
        )
        return payment, facts

    def _refund(
        self,
        student: Student,
        paid: Sequence[tuple[Payment, list[Fact]]],
        number: int,
        at: datetime,
        batch: Batch,
    ) -> None:
        """Give back the first payment, the only one of those who left."""
        for payment, facts in paid[:1]:
            refund_id = seeded_id(self._seed, Kind.REFUND, student.index, number)
            for kind in ("refund_requested", "refunded"):
                facts.append(
                    Fact(
                        kind=kind,
                        source_key=f"{kind}:{refund_id}",
                        occurred_at=at,
                        amount=payment.amount,
                        refund_id=RefundId(UUID(refund_id)),
                    )
                )
            batch.refunds.append(
                RefundRow(
                    id=refund_id,
                    payment_id=str(payment.id),
                    amount_minor=payment.amount.amount_minor,
                    currency=payment.amount.currency,
                    reason=_WITHDREW,
                    effect_key=f"demo:{refund_id}",
                    status="done",
                    created_at=at,
                    updated_at=at,
                )
            )

    def _credit(
        self, student: Student, invoice: Invoice, number: int, at: datetime
    ) -> CreditNote | None:
        if invoice.is_settled:
            return None
        note_id = seeded_id(self._seed, Kind.CREDIT_NOTE, student.index, number)
        return CreditNote(
            id=UUID(note_id),
            invoice_id=invoice.id,
            amount=invoice.outstanding,
            reason=_WITHDREW,
            created_at=at,
        )

    def _store(
        self,
        invoice: Invoice,
        paid: Sequence[tuple[Payment, list[Fact]]],
        note: CreditNote | None,
        batch: Batch,
    ) -> None:
        batch.invoices.append(_invoice_row(invoice))
        batch.instalments += [
            InstalmentRow(str(invoice.id), p.number, p.amount.amount_minor, p.due_on)
            for p in invoice.instalments
        ]
        if note is not None:
            key = f"credit:cancel:{invoice.id}"
            batch.credit_notes.append(
                CreditNoteRow(
                    str(note.id),
                    str(invoice.id),
                    note.amount.amount_minor,
                    note.reason,
                    key,
                    note.created_at,
                )
            )
        for payment, facts in paid:
            batch.payments.append(_payment_row(payment, facts))
            batch.payment_events += [
                _event_row(payment, seq, fact) for seq, fact in enumerate(facts, start=1)
            ]

    def _post(
        self,
        student: Student,
        number: int,
        invoice: Invoice,
        paid: Sequence[tuple[Payment, list[Fact]]],
        note: CreditNote | None,
        batch: Batch,
    ) -> None:
        """Post what moved, as the books would have it made again."""
        moved = [invoice_transaction(invoice)]
        for payment, facts in paid:
            moved += stream_transactions(invoice, payment, facts)
        if note is not None:
            moved.append(note_transaction(note, invoice))
        for n, transaction in enumerate(t for t in moved if t.postings):
            place = number * _MOST_TRANSACTIONS + n
            head = seeded_id(self._seed, Kind.LEDGER_TRANSACTION, student.index, place)
            _write_transaction(head, transaction, batch)


def _write_transaction(head: str, transaction: LedgerTransaction, batch: Batch) -> None:
    batch.ledger_transactions.append(
        LedgerTransactionRow(
            id=head,
            source_key=transaction.source_key,
            kind=transaction.kind,
            invoice_id=str(transaction.invoice_id),
            payment_id=str(transaction.payment_id) if transaction.payment_id else None,
            occurred_at=transaction.occurred_at,
            recorded_at=transaction.occurred_at,
        )
    )
    for account, amount in transaction.postings.items():
        batch.accounts.add(account)
        batch.ledger_postings.append(PostingRow(head, account.code, account.currency, amount))


def _settled(paid: Sequence[tuple[Payment, list[Fact]]], invoice: Invoice) -> Money:
    return Money(sum(fold(facts).settled_minor for _, facts in paid), invoice.net.currency)


def _invoice_row(invoice: Invoice) -> InvoiceRow:
    return InvoiceRow(
        id=str(invoice.id),
        reference=invoice.reference,
        person_id=str(invoice.person_id),
        debtor_id=str(invoice.debtor_id),
        net_minor=invoice.net.amount_minor,
        currency=invoice.net.currency,
        next_due_on=invoice.next_due_on,
        cancelled_at=invoice.cancelled_at,
        cancel_reason=invoice.cancel_reason,
        created_at=invoice.created_at,
    )


def _payment_row(payment: Payment, facts: Sequence[Fact]) -> PaymentRow:
    state = fold(facts)
    return PaymentRow(
        id=str(payment.id),
        invoice_id=str(payment.invoice_id),
        person_id=str(payment.person_id),
        gateway=payment.gateway,
        amount_minor=payment.amount.amount_minor,
        currency=payment.amount.currency,
        effect_key=f"demo:{payment.id}",
        status=state.status,
        captured_minor=state.captured_minor,
        refunded_minor=state.refunded_minor,
        version=len(facts),
        created_at=payment.created_at,
        updated_at=facts[-1].occurred_at,
    )


def _event_row(payment: Payment, seq: int, fact: Fact) -> PaymentEventRow:
    return PaymentEventRow(
        payment_id=str(payment.id),
        seq=seq,
        kind=fact.kind,
        source_key=fact.source_key,
        amount_minor=fact.amount.amount_minor if fact.amount else None,
        currency=fact.amount.currency if fact.amount else None,
        refund_id=str(fact.refund_id) if fact.refund_id else None,
        data=json.dumps(dict(fact.data)),
        occurred_at=fact.occurred_at,
        recorded_at=fact.occurred_at,
    )


def _noon(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(12), tzinfo=now.tzinfo)
