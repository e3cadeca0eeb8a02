"""The rows of leads and of money: fields are columns, in the order they are copied."""

from datetime import date, datetime
from typing import NamedTuple


class LeadRow(NamedTuple):
    """A row of `leads`."""

    id: str
    person_id: str
    source: str
    programme_code: str | None
    course_code: str | None
    term: str
    language: str
    stage: str
    lost_reason: str | None
    staff_id: str | None
    version: int
    created_at: datetime
    stage_since: datetime
    last_activity_at: datetime


class LeadStageRow(NamedTuple):
    """A row of `lead_stages`."""

    id: str
    lead_id: str
    from_stage: str | None
    to_stage: str
    reason: str | None
    staff_id: str | None
    occurred_at: datetime


class ActivityRow(NamedTuple):
    """A row of `activities`; `about` is JSON."""

    id: str
    person_id: str
    lead_id: str | None
    kind: str
    direction: str | None
    about: str
    staff_id: str | None
    occurred_at: datetime


class TaskRow(NamedTuple):
    """A row of `tasks`."""

    id: str
    person_id: str
    lead_id: str | None
    title: str
    staff_id: str | None
    due_at: datetime
    status: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class WaitlistRow(NamedTuple):
    """A row of `waitlist_entries`."""

    id: str
    cohort_id: str
    person_id: str
    status: str
    joined_at: datetime


class ApplicationRow(NamedTuple):
    """A row of `scholarship_applications`; the statement is sealed."""

    id: str
    scholarship_code: str
    person_id: str
    subject_id: str
    status: str
    statement: bytes
    requested_at: datetime


class InvoiceRow(NamedTuple):
    """A row of `invoices`; the sequence gives the number."""

    id: str
    reference: str
    person_id: str
    debtor_id: str
    net_minor: int
    currency: str
    next_due_on: date | None
    cancelled_at: datetime | None
    cancel_reason: str | None
    created_at: datetime


class InstalmentRow(NamedTuple):
    """A row of `instalments`."""

    invoice_id: str
    number: int
    amount_minor: int
    due_on: date


class CreditNoteRow(NamedTuple):
    """A row of `credit_notes`."""

    id: str
    invoice_id: str
    amount_minor: int
    reason: str
    effect_key: str
    created_at: datetime


class PaymentRow(NamedTuple):
    """A row of `payments`."""

    id: str
    invoice_id: str
    person_id: str
    gateway: str
    amount_minor: int
    currency: str
    effect_key: str
    status: str
    captured_minor: int
    refunded_minor: int
    version: int
    created_at: datetime
    updated_at: datetime


class PaymentEventRow(NamedTuple):
    """A row of `payment_events`; `data` is JSON."""

    payment_id: str
    seq: int
    kind: str
    source_key: str
    amount_minor: int | None
    currency: str | None
    refund_id: str | None
    data: str
    occurred_at: datetime
    recorded_at: datetime


class RefundRow(NamedTuple):
    """A row of `refunds`."""

    id: str
    payment_id: str
    amount_minor: int
    currency: str
    reason: str
    effect_key: str
    status: str
    created_at: datetime
    updated_at: datetime


class LedgerTransactionRow(NamedTuple):
    """A row of `ledger_transactions`."""

    id: str
    source_key: str
    kind: str
    invoice_id: str
    payment_id: str | None
    occurred_at: datetime
    recorded_at: datetime


class PostingRow(NamedTuple):
    """A row of `ledger_postings`."""

    transaction_id: str
    account: str
    currency: str
    amount_minor: int
