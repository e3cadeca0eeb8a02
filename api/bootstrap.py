"""The one composition root: HTTP, worker, command line and evals all start here."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import redis.asyncio as aioredis

from agents.llm.factory import Providers, build_providers
from agents.llm.offline.guessing import intent_model
from agents.runtime.engine import TurnEngine
from agents.runtime.policy import SHIPPED_POLICY
from agents.settings import AgentSettings
from api.agents import build_engine
from api.desk import TurnDesk
from api.guessing import build_guesser
from api.importers import importers_of
from api.indexing import Indexing, open_indexing
from api.library import Library, wire_library
from api.payments import Tills, open_tills
from api.policies import (
    appointment_policy,
    completion_policy,
    dunning_policy,
    fee_policy,
    saga_terms,
    seat_policy,
)
from api.search_stores import Elasticsearch
from api.settings import Settings
from api.streams.hub import EventHub
from api.streams.stream import RedisEventStream, connect
from crm.analytics.service import AnalyticsService
from crm.clock import Clock, SystemClock
from crm.courses.advice.service import AdviceService
from crm.courses.completion.attendance.service import AttendanceService
from crm.courses.completion.certificates.service import CertificateService
from crm.courses.completion.service import CompletionService
from crm.courses.enrolments.service import EnrolmentService
from crm.courses.fees.service import FeeService
from crm.courses.offers.service import OfferService
from crm.courses.seats.service import SeatService
from crm.courses.service import CourseService
from crm.db import Database, open_pool
from crm.errors import Unavailable
from crm.exports.service import ExportService
from crm.identity.service import IdentityService
from crm.imports.runner import ImportRunner
from crm.imports.service import ImportService
from crm.journal.accesses.service import AccessService
from crm.journal.deliveries.service import DeliveryService
from crm.journal.erasure.service import ErasureService
from crm.journal.service import JournalService
from crm.journal.vault import Vault
from crm.messaging.confirmations.service import ConfirmationService
from crm.messaging.conversations.service import ConversationService
from crm.messaging.outbound.mailbox import MailboxTransport
from crm.messaging.outbound.service import OutboundService
from crm.messaging.turns.service import TurnService
from crm.payments.dunning.models import TEMPLATES as REMINDERS
from crm.payments.dunning.service import DunningService
from crm.payments.gateways.webhooks import WebhookReceiver
from crm.payments.inbox import receive
from crm.payments.service import PaymentService
from crm.people.contact.quiet import QuietHours
from crm.people.contact.service import PreferenceService
from crm.people.duplicates.service import DuplicateService
from crm.people.merging.service import MergeService
from crm.people.service import PeopleService
from crm.pipeline.actions.service import ActionService
from crm.pipeline.actions.writing import LeadWriter
from crm.pipeline.scoring.report import ScoringReports
from crm.pipeline.scoring.service import ScoringService
from crm.pipeline.service import PipelineService
from crm.pipeline.sla.service import SlaService
from crm.pipeline.tasks.service import TaskService
from crm.policy.service import PolicyService
from crm.support.appointments.service import AppointmentService
from crm.support.service import SupportService
from crm.workflows.crash_points import crash_points
from crm.workflows.service import WorkflowService
from retrieval.embed.succession import Succession
from retrieval.ingest.service import IngestService
from retrieval.recommend.serving import ServingRecommender
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from tools.catalogue.course_finding import CourseFinder
from tools.registry import default_registry
from tools.runner import ToolRunner
from tools.services import ToolServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a process of this deployment works with."""

    settings: Settings
    clock: Clock
    database: Database
    redis: "aioredis.Redis"
    journal: JournalService
    deliveries: DeliveryService
    identity: IdentityService
    people: PeopleService
    preferences: PreferenceService
    duplicates: DuplicateService
    merges: MergeService
    accesses: AccessService
    erasures: ErasureService
    courses: CourseService
    offers: OfferService
    finder: CourseFinder
    seats: SeatService
    enrolments: EnrolmentService
    fees: FeeService
    pipeline: PipelineService
    tasks: TaskService
    sla: SlaService
    scoring: ScoringService
    scoring_reports: ScoringReports
    actions: ActionService
    attendance: AttendanceService
    completion: CompletionService
    certificates: CertificateService
    support: SupportService
    appointments: AppointmentService
    conversations: ConversationService
    confirmations: ConfirmationService
    turns: TurnService
    outbound: OutboundService
    mailbox: MailboxTransport
    tills: Tills
    dunning: DunningService
    webhooks: WebhookReceiver
    payments: PaymentService
    workflows: WorkflowService
    documents: PgVectorStore
    elasticsearch: Elasticsearch | None
    knowledge: KnowledgeSearch
    ingest: IngestService
    library: Library
    succession: Succession
    imports: ImportService
    exports: ExportService
    analytics: AnalyticsService
    import_runner: ImportRunner
    tools: ToolServices
    runner: ToolRunner
    stream: RedisEventStream
    hub: EventHub
    engine: TurnEngine
    policy: PolicyService


@asynccontextmanager
async def open_services(
    settings: Settings, *, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """Connect to the servers and wire every part.

    Args:
        settings: complete, i.e. with addresses and the master key.
        clock: tests set it.
    Raises: Unavailable("database" | "settings.master_key" | "settings.stripe" |
        "settings.elasticsearch").
    """
    clock = clock or SystemClock()
    pool = await open_pool(settings.require_database_url(), max_size=settings.pool_size)
    client = connect(settings.redis_url or "redis://127.0.0.1:6379/0")
    providers = build_providers(AgentSettings())
    try:
        database = Database(pool, clock, _vault(settings))
        async with (
            open_tills(settings, database) as tills,
            open_indexing(settings, pool) as indexing,
        ):
            yield _wire(settings, database, client, providers, tills=tills, indexing=indexing)
    finally:
        await providers.aclose()
        await client.aclose()
        await pool.close()


def _vault(settings: Settings) -> Vault:
    if settings.master_key is None:
        raise Unavailable("settings.master_key", "ORIENTA_MASTER_KEY is not set.")
    return Vault(base64.b64decode(settings.master_key.get_secret_value()))


def _wire(
    settings: Settings,
    database: Database,
    client: "aioredis.Redis",
    providers: Providers,
    *,
    tills: Tills,
    indexing: Indexing,
) -> Services:
    held = seat_policy(settings)
    courses = CourseService(database, time_zone=settings.time_zone, offer_life=held.offer_life)
    offers = OfferService(database, time_zone=settings.time_zone)
    people = PeopleService(
        database, phone_region=settings.phone_region, time_zone=settings.time_zone
    )
    support = SupportService(database)
    appointments = AppointmentService(database, appointment_policy(settings))
    conversations = _conversations(settings, database)
    confirmations = ConfirmationService(
        database, life=timedelta(minutes=settings.confirmation_minutes)
    )
    turns = TurnService(database, lease_life=timedelta(seconds=settings.turn_lease_s))
    importers = importers_of(settings)
    mailbox = MailboxTransport(database)
    quiet = QuietHours(settings.quiet_from, settings.quiet_until)
    seats = SeatService(database, held)
    enrolments = EnrolmentService(database, held)
    fees = FeeService(database, fee_policy(settings))
    certificates = CertificateService(database, completion_policy(settings))
    preferences = PreferenceService(database)
    payments = PaymentService(
        database,
        tills.gateways,
        chosen=tills.chosen,
        return_url=f"{settings.base_url}/me",
        checkout_life=timedelta(hours=settings.checkout_hours),
    )
    workflows = WorkflowService(
        database, saga_terms(settings, tills, quiet), reach=crash_points(os.environ)
    )
    scoring = ScoringService(database)
    actions = ActionService(database, scoring)
    tools = ToolServices(
        courses=courses,
        offers=offers,
        advice=AdviceService(database, time_zone=settings.time_zone),
        seats=seats,
        enrolments=enrolments,
        fees=fees,
        payments=payments,
        workflows=workflows,
        certificates=certificates,
        preferences=preferences,
        people=people,
        support=support,
        appointments=appointments,
        conversations=conversations,
        confirmations=confirmations,
        scoring=scoring,
        actions=actions,
        lead_writer=LeadWriter(quiet=quiet, institution=settings.institution),
        knowledge=indexing.knowledge,
        recommenders=ServingRecommender(database.pool),
        time_zone=settings.time_zone,
        base_url=settings.base_url,
    )
    policy = PolicyService(database, shipped=SHIPPED_POLICY)
    runner = ToolRunner(database, default_registry(), tools)
    stream = RedisEventStream(client, maxlen=settings.stream_maxlen, ttl_s=settings.stream_ttl_s)
    dunning = DunningService(database, dunning_policy(settings, tills, quiet))
    return Services(
        settings=settings,
        clock=database.clock,
        database=database,
        redis=client,
        journal=JournalService(database),
        deliveries=DeliveryService(database),
        identity=IdentityService(
            database,
            staff_session=timedelta(hours=settings.staff_session_hours),
            institution=settings.institution,
        ),
        people=people,
        preferences=preferences,
        duplicates=DuplicateService(database),
        merges=MergeService(database),
        accesses=AccessService(database),
        erasures=ErasureService(database),
        courses=courses,
        offers=offers,
        finder=CourseFinder(courses, offers, indexing.knowledge),
        seats=seats,
        enrolments=enrolments,
        fees=fees,
        attendance=AttendanceService(database, completion_policy(settings)),
        completion=CompletionService(database, completion_policy(settings)),
        certificates=certificates,
        pipeline=PipelineService(database),
        tasks=TaskService(database),
        sla=SlaService(database),
        scoring=scoring,
        scoring_reports=ScoringReports(database),
        actions=actions,
        support=support,
        appointments=appointments,
        conversations=conversations,
        confirmations=confirmations,
        turns=turns,
        outbound=OutboundService(
            database,
            mailbox,
            quiet=quiet,
            checks=dict.fromkeys(REMINDERS, dunning.check_sending),
        ),
        dunning=dunning,
        mailbox=mailbox,
        tills=tills,
        webhooks=WebhookReceiver(database, tills.gateways, receive=receive),
        payments=payments,
        workflows=workflows,
        documents=indexing.documents,
        elasticsearch=indexing.elasticsearch,
        knowledge=indexing.knowledge,
        ingest=indexing.ingest,
        library=wire_library(settings, database, indexing.ingest),
        succession=indexing.succession,
        imports=ImportService(database, importers, max_bytes=settings.import_max_bytes),
        exports=ExportService(database),
        analytics=AnalyticsService(database, time_zone=settings.time_zone),
        import_runner=ImportRunner(database, importers, time_zone=settings.time_zone),
        tools=tools,
        runner=runner,
        stream=stream,
        hub=EventHub(client),
        engine=build_engine(
            settings,
            desk=TurnDesk(turns, runner),
            database=database,
            stream=stream,
            providers=providers,
            policy=policy,
            guesser=build_guesser(intent_model(), indexing.embedder),
        ),
        policy=policy,
    )


def _conversations(settings: Settings, database: Database) -> ConversationService:
    return ConversationService(
        database,
        session_life=timedelta(hours=settings.chat_session_hours),
        max_chars=settings.message_max_chars,
        settle=timedelta(milliseconds=settings.turn_settle_ms),
        settle_max=timedelta(milliseconds=settings.turn_settle_max_ms),
    )
