"""Tools over real services: a small institution on a real database, and people who talk to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from api.bootstrap import open_services
from api.demo.loader import load_demo
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Actor, AgentIdentity, IdentityLevel, Role
from crm.clock import FixedClock
from crm.courses.advice.service import AdviceService
from crm.courses.completion.certificates.service import CertificateService
from crm.courses.completion.models import CompletionPolicy
from crm.courses.enrolments.service import EnrolmentService
from crm.courses.fees.service import FeeService
from crm.courses.offers.service import OfferService
from crm.courses.seats.service import SeatService
from crm.courses.service import CourseService
from crm.db import Database, open_pool
from crm.ids import StaffId, SubjectId, new_id
from crm.journal.service import AuditRecord, JournalService
from crm.journal.vault import Vault
from crm.messaging.confirmations.service import ConfirmationService
from crm.messaging.conversations.service import ConversationService
from crm.payments.service import PaymentService
from crm.people.contact.quiet import QuietHours
from crm.people.contact.service import PreferenceService
from crm.people.models import CreatePerson, Person
from crm.people.service import PeopleService
from crm.pipeline.actions.service import ActionService
from crm.pipeline.actions.writing import LeadWriter
from crm.pipeline.scoring.service import ScoringService
from crm.support.appointments.service import AppointmentService
from crm.support.service import SupportService
from crm.workflows.service import WorkflowService
from crm.workflows.terms import Terms
from retrieval.recommend.serving import ServingRecommender
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.crm.courses.conftest import PYTHON, Catalogue
from tests.integration.crm.payments.conftest import NAME, PretendGateway
from tests.integration.tools.counter import Counter
from tests.rows import Rows
from tools.context import Fence, ToolContext, no_fence
from tools.context import Locale as ToolLocale
from tools.registry import Registry, default_registry
from tools.runner import ToolRunner
from tools.services import ToolServices

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

TERMS = Terms(gateway=NAME, institution="Instituto Andino")
#: A Tuesday.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
AGENT = AgentIdentity("student_support", "offline", "1")


@dataclass
class Talk:
    """One run of one conversation, as a turn would hold it."""

    context: ToolContext
    person: Person | None = None

    @property
    def actor(self) -> Actor:
        return self.context.actor


@dataclass
class Office(Rows):
    """The institution, and what tests ask of it."""

    database: Database
    services: ToolServices
    journal: JournalService
    clock: FixedClock
    runner: ToolRunner
    _count: int = field(default=0)

    def runner_of(self, *specs: Any) -> ToolRunner:
        """Return a runner over a catalogue of one's own."""
        return ToolRunner(self.database, Registry(specs), self.services)

    async def visitor(self, *, locale: ToolLocale = "es", fence: Fence = no_fence) -> Talk:
        """Somebody nobody knows opens the chat."""
        started = await self.services.conversations.start_session(locale=locale)
        return await self._talk(
            started.session.actor, started.session.conversation_id, locale, fence
        )

    async def student(self, name: str = "Ana Pérez", *, locale: ToolLocale = "es") -> Talk:
        """Somebody who has proved who they are opens the chat."""
        person = await self.new_person(name)
        started = await self.services.conversations.start_session(
            locale=locale, person_id=person.id
        )
        talk = await self._talk(
            started.session.actor, started.session.conversation_id, locale, no_fence
        )
        return replace(talk, person=person)

    async def staff(self, role: Role = Role.ADVISOR) -> Talk:
        """An advisor's agent, outside of any conversation."""
        staff_id = StaffId(new_id())
        actor = Actor(
            SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=role, agent=AGENT
        )
        return Talk(ToolContext(actor=actor, locale="es"))

    async def new_person(self, name: str) -> Person:
        """Add somebody with an address of their own."""
        self._count += 1
        command = CreatePerson(full_name=name, email=f"persona{self._count}@correo.example")
        return await self.services.people.create_person(command, actor=SERVICE_ACTOR)

    async def new_run(self, conversation_id: UUID) -> UUID:
        """Open a run, as a turn does."""
        run_id = new_id()
        await self.execute(
            "INSERT INTO runs (id, conversation_id, epoch, status, started_at) "
            "VALUES (%s, %s, 1, 'running', %s)",
            *(run_id, conversation_id, NOW),
        )
        return run_id

    async def _talk(
        self, actor: Actor, conversation_id: UUID, locale: ToolLocale, fence: Fence
    ) -> Talk:
        return Talk(
            ToolContext(
                actor=replace(actor, agent=AGENT),
                locale=locale,
                conversation_id=conversation_id,
                run_id=await self.new_run(conversation_id),
                fence=fence,
            )
        )

    async def accept(self, talk: Talk, confirmation_id: UUID) -> None:
        """Agree to a frozen call."""
        await self.decide(talk, confirmation_id, "accept")

    async def decide(self, talk: Talk, confirmation_id: UUID, decision: Any) -> None:
        """Agree to a frozen call, or do not."""
        assert talk.context.conversation_id is not None
        await self.services.confirmations.decide(
            confirmation_id,
            conversation_id=talk.context.conversation_id,
            decision=decision,
            actor=talk.actor,
        )

    async def records(self, talk: Talk, **filters: object) -> list[AuditRecord]:
        """Return the records of a talk's run, oldest first."""
        wanted = {"run_id": talk.context.run_id, **filters}
        page = await self.journal.list_audit_events(wanted, cursor=None, limit=200)
        return list(page.items)[::-1]

    async def outcomes(self, talk: Talk) -> list[tuple[object, object, object]]:
        """Return effect, outcome and decision of each record of a talk's run."""
        found = await self.records(talk)
        return [(r.header["effect"], r.header["outcome"], r.header["decision"]) for r in found]


@pytest.fixture(scope="module")
async def office(database_url: str) -> AsyncIterator[Office]:
    pool = await open_pool(database_url)
    clock = FixedClock(NOW)
    database = Database(pool, clock, Vault(bytes(32)))
    services = ToolServices(
        offers=OfferService(database),
        seats=SeatService(database, TERMS.seats),
        enrolments=EnrolmentService(database, TERMS.seats),
        fees=FeeService(database, TERMS.fees),
        payments=PaymentService(database, {NAME: PretendGateway()}, chosen=NAME),
        workflows=WorkflowService(database, TERMS),
        certificates=CertificateService(database, CompletionPolicy()),
        preferences=PreferenceService(database),
        courses=CourseService(database, time_zone="America/Lima"),
        advice=AdviceService(database, time_zone="America/Lima"),
        people=PeopleService(database),
        support=SupportService(database),
        appointments=AppointmentService(database),
        conversations=ConversationService(database),
        confirmations=ConfirmationService(database),
        scoring=ScoringService(database),
        actions=ActionService(database, ScoringService(database)),
        lead_writer=LeadWriter(quiet=QuietHours(), institution="Andino"),
        knowledge=KnowledgeSearch(PgVectorStore(pool), None),
        recommenders=ServingRecommender(pool),
        time_zone="America/Lima",
        base_url="https://orienta.example",
    )
    runner = ToolRunner(database, default_registry(), services)
    yield Office(database, services, JournalService(database), clock, runner)
    await pool.close()


@pytest.fixture(scope="module")
async def institution(office: Office, settings: Settings) -> Office:
    """The office with the demo's catalogue, people and documents, found by words alone."""
    async with open_services(settings, clock=office.clock) as services:
        await load_demo(services, report=lambda *_: None)
    return office


@pytest.fixture
def counter(office: Office) -> Counter:
    """Makes calls as the steps of a turn."""
    return Counter(office)


@pytest.fixture
async def catalogue(office: Office) -> Catalogue:
    """A course that groups can be opened of."""
    await office.execute(
        "INSERT INTO areas VALUES ('PRG', 'Programación', 'Code') ON CONFLICT DO NOTHING"
    )
    await office.services.courses.upsert_course(PYTHON, actor=SERVICE_ACTOR)
    return Catalogue(office.database, office.services.courses)
