"""What happens to quotes and scholarships."""

from dataclasses import dataclass

from crm.courses.fees.models import ApplicationId, QuoteId
from crm.courses.models import CohortId
from crm.ids import PersonId
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeQuoted(DomainEvent):
    """A price was frozen for somebody."""

    quote_id: QuoteId
    cohort_id: CohortId
    person_id: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAccepted(DomainEvent):
    """A price was agreed to; what its scholarship had reserved is granted."""

    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCancelled(DomainEvent):
    """A price no longer stands; its scholarship's share is back in the fund."""

    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantReturned(DomainEvent):
    """Somebody left a course; a part of what a scholarship gave is back in its fund."""

    quote_id: QuoteId
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExpired(DomainEvent):
    """Nobody agreed to a price in time; its scholarship's share is back in the fund."""

    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScholarshipRequested(DomainEvent):
    """Somebody asked for a scholarship."""

    application_id: ApplicationId
    person_id: PersonId
    scholarship_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScholarshipAwarded(DomainEvent):
    """Staff gave somebody a scholarship."""

    application_id: ApplicationId
    person_id: PersonId
    scholarship_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScholarshipDeclined(DomainEvent):
    """Staff did not give somebody a scholarship."""

    application_id: ApplicationId
    person_id: PersonId
    scholarship_code: str
