"""The rows that the generator writes: fields are columns, in the order they are copied."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from api.demo.business_rows import (
    ActivityRow,
    CreditNoteRow,
    InstalmentRow,
    InvoiceRow,
    LeadRow,
    LeadStageRow,
    LedgerTransactionRow,
    PaymentEventRow,
    PaymentRow,
    PostingRow,
    RefundRow,
    TaskRow,
    WaitlistRow,
)
from crm.payments.ledger.models import Account


class PersonRow(NamedTuple):
    """A row of `people`."""

    id: str
    full_name: str
    email: str
    phone: str | None
    locale: str
    time_zone: str
    birth_date: date
    guardian_id: str | None
    status: str
    created_at: datetime
    updated_at: datetime


class ConsentRow(NamedTuple):
    """A row of `consents`."""

    id: str
    person_id: str
    channel: str
    purpose: str
    granted: bool
    source: str
    text_version: str
    guardian_id: str | None
    recorded_at: datetime


class ConversationRow(NamedTuple):
    """A row of `conversations`."""

    id: str
    channel: str
    subject_id: str
    person_id: str
    locale: str
    level: int
    status: str
    staff_id: str | None
    handoff_reason: str | None
    created_at: datetime
    last_message_at: datetime


class MessageRow(NamedTuple):
    """A row of `messages`; the sequence gives the ordinal."""

    id: str
    conversation_id: str
    role: str
    source: str
    external_id: str
    body: str
    staff_id: str | None
    answered_by: str | None
    created_at: datetime


class HandoffRow(NamedTuple):
    """A row of `handoffs`."""

    id: str
    conversation_id: str
    reason: str
    requested_at: datetime
    staff_id: str | None
    taken_at: datetime | None


class TicketRow(NamedTuple):
    """A row of `tickets`; the sequence gives the number."""

    id: str
    subject_id: str
    person_id: str
    conversation_id: str | None
    category: str
    title: str
    description: str
    priority: str
    status: str
    staff_id: str | None
    created_at: datetime
    updated_at: datetime


class TicketEventRow(NamedTuple):
    """A row of `ticket_events`."""

    id: str
    ticket_id: str
    kind: str
    from_value: str | None
    to_value: str | None
    staff_id: str | None
    created_at: datetime


class EnrolmentRow(NamedTuple):
    """A row of `enrolments`."""

    id: str
    person_id: str
    cohort_id: str
    status: str
    confirmed_at: datetime
    ended_at: datetime | None


@dataclass(slots=True)
class Batch:
    """The rows of some students.

    Args:
        wishes: enrolments that happen only where seats are left.
        accounts: of the ledger; others may have opened them.
    """

    people: list[PersonRow] = field(default_factory=list)
    consents: list[ConsentRow] = field(default_factory=list)
    conversations: list[ConversationRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    handoffs: list[HandoffRow] = field(default_factory=list)
    tickets: list[TicketRow] = field(default_factory=list)
    ticket_events: list[TicketEventRow] = field(default_factory=list)
    enrolments: list[EnrolmentRow] = field(default_factory=list)
    leads: list[LeadRow] = field(default_factory=list)
    lead_stages: list[LeadStageRow] = field(default_factory=list)
    activities: list[ActivityRow] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    waitlist_entries: list[WaitlistRow] = field(default_factory=list)
    invoices: list[InvoiceRow] = field(default_factory=list)
    instalments: list[InstalmentRow] = field(default_factory=list)
    credit_notes: list[CreditNoteRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    payment_events: list[PaymentEventRow] = field(default_factory=list)
    refunds: list[RefundRow] = field(default_factory=list)
    ledger_transactions: list[LedgerTransactionRow] = field(default_factory=list)
    ledger_postings: list[PostingRow] = field(default_factory=list)
    accounts: set[Account] = field(default_factory=set)
    wishes: list[EnrolmentRow] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, list[NamedTuple]]]:
        """Yield each table's name and rows, those that others refer to first."""
        for name in _ORDER:
            yield name, getattr(self, name)


_ORDER = (
    "people",
    "consents",
    "conversations",
    "messages",
    "handoffs",
    "tickets",
    "ticket_events",
    "enrolments",
    "leads",
    "lead_stages",
    "activities",
    "tasks",
    "waitlist_entries",
    "invoices",
    "instalments",
    "credit_notes",
    "payments",
    "payment_events",
    "refunds",
    "ledger_transactions",
    "ledger_postings",
)
