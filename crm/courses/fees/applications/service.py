"""Use cases of scholarship applications: request, award, decline, read."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.courses.fees.applications import models, store
from crm.courses.fees.applications.models import (
    Application,
    ApplicationDetail,
    ApplicationStatus,
)
from crm.courses.fees.events import ScholarshipAwarded, ScholarshipDeclined, ScholarshipRequested
from crm.courses.fees.models import ApplicationId
from crm.courses.fees.terms import store as terms
from crm.db import Database, UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId, new_id
from crm.journal.audit import AuditEntry, performed
from crm.journal.idempotency import IdempotencyKey
from crm.journal.vault import SubjectKey
from crm.once import run_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import owner_of
from crm.people.reads import record_read
from crm.people.standing import require_active

_EVENTS = {"awarded": ScholarshipAwarded, "declined": ScholarshipDeclined}
_ACTIONS: dict[ApplicationStatus, str] = {"awarded": "award", "declined": "decline"}


class ApplicationService:
    """Who asked for which scholarship, and what staff decided."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def request_scholarship(
        self,
        scholarship_code: str,
        person_id: PersonId,
        statement: str,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Application:
        """Ask for a scholarship, a student for themself.

        Raises:
            NotFound("scholarship.unknown" | "person.unknown").
            RuleBroken("scholarship.inactive" | "scholarship.automatic" | "scholarship.text").
            RuleBroken("person.inactive").
            Conflict("scholarship.requested"): an application is open, or was awarded.
            Denied("identity.level" | "auth.role").
        """
        _require_own(actor, person_id)
        models.check_text(statement)

        async def work(uow: UnitOfWork) -> Application:
            await _check_wanted(uow, scholarship_code)
            return await _insert(uow, scholarship_code, person_id, statement, actor)

        arguments = {"code": scholarship_code, "person_id": person_id, "statement": statement}
        return await self._once(idempotency, arguments, work)

    async def award(
        self,
        application_id: ApplicationId,
        answer: str = "",
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Application:
        """Give somebody the scholarship they asked for; staff only.

        Raises:
            Denied("auth.role"); NotFound("scholarship.application").
            RuleBroken("scholarship.decided" | "scholarship.text").
        """
        return await self._decide(application_id, "awarded", answer, actor, idempotency)

    async def decline(
        self,
        application_id: ApplicationId,
        answer: str = "",
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Application:
        """Do not give somebody the scholarship they asked for; staff only.

        Raises: as `award`.
        """
        return await self._decide(application_id, "declined", answer, actor, idempotency)

    async def get_application(
        self, application_id: ApplicationId, *, actor: Actor
    ) -> ApplicationDetail:
        """Return an application with its texts, a student's own only; staff's reading is audited.

        Raises: NotFound("scholarship.application"); Denied("identity.level" | "auth.role").
        """
        owner = _owner(actor)
        async with self._db.audited_read() as uow:
            found = await _find(uow, application_id, owner=owner)
            subject_id, statement, answer = await store.select_texts(uow.conn, found.id)
            secret = await uow.key(subject_id)
            _record_read(uow, "scholarship.read", [found], actor)
        return ApplicationDetail(found, _open(secret, statement), _open(secret, answer))

    async def list_applications(
        self,
        *,
        scholarship_code: str | None = None,
        person_id: PersonId | None = None,
        status: ApplicationStatus | None = None,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Application]:
        """Return applications, newest first, a student's own only; staff's reading is audited.

        Raises: Denied("identity.level" | "auth.role"); RuleBroken("page.cursor").
        """
        owner = _owner(actor)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        filters = {
            "scholarship_code": scholarship_code,
            "person_id": owner or person_id,
            "status": status,
        }
        async with self._db.audited_read() as uow:
            rows = await store.select_applications(uow.conn, filters, after=after, limit=limit + 1)
            page = page_of(rows, limit, lambda a: encode_cursor(a.requested_at, a.id))
            _record_read(uow, "scholarship.list", page.items, actor)
        return page

    async def _decide(
        self,
        application_id: ApplicationId,
        status: ApplicationStatus,
        answer: str,
        actor: Actor,
        idempotency: IdempotencyKey | None,
    ) -> Application:
        require(actor, Area.ENROLMENTS, write=True)
        models.check_text(answer)

        async def work(uow: UnitOfWork) -> Application:
            before = await _find(uow, application_id, owner=None, lock=True)
            models.check_undecided(before.status)
            return await _write_decision(uow, before, status, answer, actor)

        arguments = {"application_id": application_id, "status": status, "answer": answer}
        return await self._once(idempotency, arguments, work)

    async def _once(
        self,
        key: IdempotencyKey | None,
        arguments: Mapping[str, object],
        work: Callable[[UnitOfWork], Awaitable[Application]],
    ) -> Application:
        return await run_once(
            self._db,
            key,
            arguments,
            work,
            kind=Application,
            about=lambda application: application.person_id,
        )


def _owner(actor: Actor) -> PersonId | None:
    owner = owner_of(actor)
    if owner is None:
        require(actor, Area.ENROLMENTS)
    return owner


def _require_own(actor: Actor, person_id: PersonId) -> None:
    owner = owner_of(actor)
    if owner is None:
        require(actor, Area.ENROLMENTS, write=True)
    elif owner != person_id:
        raise NotFound("person.unknown", "There is no such person.")


async def _check_wanted(uow: UnitOfWork, scholarship_code: str) -> None:
    fund = await terms.select_fund(uow.conn, scholarship_code)
    if fund is None:
        raise NotFound("scholarship.unknown", "There is no such scholarship.")
    if not fund.terms.active:
        raise RuleBroken("scholarship.inactive", "This scholarship is no longer given.")
    if fund.terms.automatic:
        raise RuleBroken("scholarship.automatic", "This scholarship needs no application.")


async def _insert(
    uow: UnitOfWork, scholarship_code: str, person_id: PersonId, statement: str, actor: Actor
) -> Application:
    await require_active(uow, person_id)
    application = Application(
        id=ApplicationId(new_id()),
        scholarship_code=scholarship_code,
        person_id=person_id,
        status="requested",
        requested_at=uow.clock.now(),
        decided_at=None,
        decided_by=None,
    )
    sealed = (await _secret(uow, person_id)).seal(statement.encode())
    if not await store.insert_application(uow.conn, application, statement=sealed):
        raise Conflict("scholarship.requested", "This scholarship has been asked for already.")
    uow.publish(
        ScholarshipRequested(
            application_id=application.id, person_id=person_id, scholarship_code=scholarship_code
        )
    )
    uow.audit(_entry("scholarship.request", application, actor, text=statement))
    return application


async def _write_decision(
    uow: UnitOfWork, before: Application, status: ApplicationStatus, answer: str, actor: Actor
) -> Application:
    subject_id, _, _ = await store.select_texts(uow.conn, before.id)
    after = await store.decide_application(
        uow.conn,
        before.id,
        status,
        answer=(await _secret(uow, subject_id)).seal(answer.encode()),
        staff_id=actor.staff_id,
        at=uow.clock.now(),
    )
    event = _EVENTS[status]
    uow.publish(
        event(
            application_id=after.id,
            person_id=after.person_id,
            scholarship_code=after.scholarship_code,
        )
    )
    uow.audit(_entry(f"scholarship.{_ACTIONS[status]}", after, actor, text=answer))
    return after


async def _find(
    uow: UnitOfWork, application_id: ApplicationId, *, owner: PersonId | None, lock: bool = False
) -> Application:
    found = await store.select_application(uow.conn, application_id, owner=owner, lock=lock)
    if found is None:
        raise NotFound("scholarship.application", "There is no such application.")
    return found


async def _secret(uow: UnitOfWork, subject_id: UUID) -> SubjectKey:
    secret = await uow.key(subject_id)
    if secret is None:
        raise NotFound("person.unknown", "There is no such person.")
    return secret


def _open(secret: SubjectKey | None, sealed: bytes | None) -> str | None:
    return secret.open(sealed).decode() if secret and sealed is not None else None


def _entry(action: str, application: Application, actor: Actor, *, text: str) -> AuditEntry:
    return performed(
        actor,
        action,
        about=application.person_id,
        payload={"application": asdict(application), "text": text},
    )


def _record_read(uow: UnitOfWork, action: str, shown: Sequence[Application], actor: Actor) -> None:
    payload = {"applications": [str(application.id) for application in shown]}
    people = [application.person_id for application in shown]
    record_read(uow, action, actor=actor, people=people, payload=payload)
