"""What the tools' handlers work with; the composition root fills it."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from crm.courses.advice.service import AdviceService
from crm.courses.completion.certificates.service import CertificateService
from crm.courses.enrolments.service import EnrolmentService
from crm.courses.fees.service import FeeService
from crm.courses.offers.service import OfferService
from crm.courses.seats.service import SeatService
from crm.courses.service import CourseService
from crm.messaging.confirmations.service import ConfirmationService
from crm.messaging.conversations.service import ConversationService
from crm.payments.service import PaymentService
from crm.people.contact.service import PreferenceService
from crm.people.service import PeopleService
from crm.pipeline.actions.service import ActionService
from crm.pipeline.actions.writing import LeadWriter
from crm.pipeline.scoring.service import ScoringService
from crm.support.appointments.service import AppointmentService
from crm.support.service import SupportService
from crm.workflows.service import WorkflowService
from retrieval.models import Audience, Kind, Language, SearchResult
from retrieval.recommend.recommender import Recommender


class KnowledgeIndex(Protocol):
    """Finds passages; `retrieval`'s search is one."""

    async def search(
        self,
        query: str,
        *,
        kind: Kind,
        audiences: frozenset[Audience],
        on: date,
        query_language: Language | None,
        slugs: frozenset[str] | None = None,
        limit: int = 5,
    ) -> SearchResult:
        """Return the best passages for these readers, and how much they are worth."""
        ...


class Recommenders(Protocol):
    """Has the recommender that serves."""

    async def current(self) -> Recommender | None:
        """Return it; None before the first was trained."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServices:
    """The use cases that tools act through.

    Args:
        time_zone: the institution's; in it dates are put into words.
        base_url: the deployment's address, before every path.
    """

    courses: CourseService
    offers: OfferService
    advice: AdviceService
    seats: SeatService
    enrolments: EnrolmentService
    fees: FeeService
    payments: PaymentService
    workflows: WorkflowService
    certificates: CertificateService
    preferences: PreferenceService
    people: PeopleService
    support: SupportService
    appointments: AppointmentService
    conversations: ConversationService
    confirmations: ConfirmationService
    scoring: ScoringService
    actions: ActionService
    lead_writer: LeadWriter
    knowledge: KnowledgeIndex
    recommenders: Recommenders
    time_zone: str = "UTC"
    base_url: str = ""
