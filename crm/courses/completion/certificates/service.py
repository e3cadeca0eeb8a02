"""Use cases of certificates: check, list, issue anew, revoke."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from crm.actor import SERVICE_ACTOR, Actor
from crm.courses.completion import store as completion
from crm.courses.completion.certificates import acts, models, store
from crm.courses.completion.certificates.models import (
    Certificate,
    CertificateCheck,
    IssuedCertificate,
    Proof,
    SealedCertificate,
)
from crm.courses.completion.certificates.signing import Signer
from crm.courses.completion.events import CertificateRevoked
from crm.courses.completion.models import CompletionPolicy, Studies, check_certificate
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.audit import canonical, performed
from crm.journal.idempotency import IdempotencyKey
from crm.journal.vault import SubjectKey
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import owner_of
from crm.people.reads import record_read


class CertificateService:
    """Certificates, for their holders, for staff, and for whoever is shown one."""

    def __init__(self, database: Database, policy: CompletionPolicy) -> None:
        self._db = database
        self._policy = policy

    async def check(self, number: str, code: str | None = None) -> CertificateCheck:
        """Tell anybody whether a certificate counts, and with its code whose it is.

        Raises: NotFound("certificate.unknown").
        """
        async with self._db.transaction() as uow:
            sealed = await _find(uow, models.read_code(number))
            secret = await uow.key(sealed.subject_id)
            return _check(sealed, secret, await acts.signer_of(uow), code)

    async def list_certificates(
        self,
        *,
        person_id: PersonId | None = None,
        course_code: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[IssuedCertificate]:
        """Return certificates, newest first, a student's own only; staff's reading is audited.

        Raises: Denied("identity.level" | "auth.role"); RuleBroken("page.cursor").
        """
        owner = owner_of(actor)
        if owner is None:
            require(actor, Area.ENROLMENTS)
        after = decode_cursor(cursor, datetime.fromisoformat, str)
        filters = {"person_id": owner or person_id, "course_code": course_code}
        async with self._db.audited_read() as uow:
            rows = await store.select_certificates(uow.conn, filters, after=after, limit=limit + 1)
            page = page_of(rows, limit, _cursor_of)
            _record_read(uow, page.items, actor)
            return Page(await _opened(uow, page.items), page.next_cursor)

    async def reissue(
        self, enrolment_id: UUID, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Certificate:
        """Issue a certificate again after one was revoked, with the holder's name as it is now.

        One that counts is returned as it is; staff only.

        Raises:
            Denied("auth.role"); NotFound("enrolment.unknown").
            RuleBroken: see `check_certificate`.
        """
        require(actor, Area.ENROLMENTS, write=True)
        async with self._db.transaction() as uow:

            async def work() -> Certificate:
                studies = await _find_studies(uow, enrolment_id)
                check_certificate(studies)
                return await acts.issue_certificate(uow, studies, actor=actor, policy=self._policy)

            return await do_once(
                uow,
                idempotency,
                {"enrolment_id": enrolment_id},
                work,
                kind=Certificate,
                about=lambda certificate: certificate.person_id,
            )

    async def issue_paid(self, invoice_id: UUID) -> int:
        """Issue what was withheld until an invoice is paid; returns how many there were."""
        count = 0
        async with self._db.transaction() as uow:
            for enrolment_id in await completion.select_uncertified(uow.conn, invoice_id):
                studies = await _find_studies(uow, enrolment_id)
                if not studies.owes:
                    await acts.issue_certificate(
                        uow, studies, actor=SERVICE_ACTOR, policy=self._policy
                    )
                    count += 1
        return count

    async def revoke(
        self,
        number: str,
        reason: str,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Certificate:
        """Note that a certificate no longer counts; staff only. Idempotent.

        Raises:
            Denied("auth.role"); NotFound("certificate.unknown").
            RuleBroken("certificate.reason"): empty, or too long.
        """
        require(actor, Area.ENROLMENTS, write=True)
        if not 0 < len(reason.strip()) <= models.MAX_REASON:
            raise RuleBroken("certificate.reason", "Say why, in a few words.")
        async with self._db.transaction() as uow:

            async def work() -> Certificate:
                return await _revoke(uow, models.read_code(number), reason.strip(), actor)

            return await do_once(
                uow,
                idempotency,
                {"number": number, "reason": reason},
                work,
                kind=Certificate,
                about=lambda certificate: certificate.person_id,
            )


def _cursor_of(sealed: SealedCertificate) -> str:
    return encode_cursor(sealed.certificate.issued_at, sealed.certificate.number)


async def _find_studies(uow: UnitOfWork, enrolment_id: UUID) -> Studies:
    studies = await completion.select_studies(uow.conn, enrolment_id, lock=True)
    if studies is None:
        raise NotFound("enrolment.unknown", "There is no such enrolment.")
    return studies


async def _find(uow: UnitOfWork, number: str, *, lock: bool = False) -> SealedCertificate:
    sealed = await store.select_certificate(uow.conn, number, lock=lock)
    if sealed is None:
        raise NotFound("certificate.unknown", "There is no such certificate.")
    return sealed


def _check(
    sealed: SealedCertificate, secret: SubjectKey | None, signer: Signer, code: str | None
) -> CertificateCheck:
    made = sealed.certificate
    matches = None if code is None else signer.is_code(made.number, models.read_code(code))
    name = _name(sealed, secret)
    if name is None:
        return CertificateCheck(made, None, "nothing", matches, None)
    if not matches:
        return CertificateCheck(made, models.initials_of(name), "initials", matches, None)
    statement = canonical(made.statement(name)).decode()
    proof = Proof(statement, sealed.signature, signer.public_key)
    return CertificateCheck(made, name, "name", matches, proof)


async def _opened(
    uow: UnitOfWork, shown: Sequence[SealedCertificate]
) -> tuple[IssuedCertificate, ...]:
    keys = await uow.keys(sealed.subject_id for sealed in shown)
    signer = await acts.signer_of(uow)
    return tuple(
        IssuedCertificate(
            sealed.certificate,
            _name(sealed, keys[sealed.subject_id]),
            signer.code_of(sealed.certificate.number),
        )
        for sealed in shown
    )


def _name(sealed: SealedCertificate, secret: SubjectKey | None) -> str | None:
    return secret.open(sealed.holder).decode() if secret else None


async def _revoke(uow: UnitOfWork, number: str, reason: str, actor: Actor) -> Certificate:
    before = (await _find(uow, number, lock=True)).certificate
    if before.revoked_at is not None:
        return before
    after = await store.revoke(
        uow.conn, number, reason=reason, staff_id=actor.staff_id, at=uow.clock.now()
    )
    uow.publish(
        CertificateRevoked(
            number=number, enrolment_id=after.enrolment_id, person_id=after.person_id
        )
    )
    uow.audit(
        performed(
            actor,
            "certificate.revoke",
            about=after.person_id,
            payload={"number": number, "reason": reason},
        )
    )
    return after


def _record_read(uow: UnitOfWork, shown: Sequence[SealedCertificate], actor: Actor) -> None:
    payload = {"certificates": [s.certificate.number for s in shown]}
    people = [s.certificate.person_id for s in shown]
    record_read(uow, "certificate.list", actor=actor, people=people, payload=payload)
