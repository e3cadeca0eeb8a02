"""Issuing a certificate, as an act within a transaction."""

from dataclasses import asdict

from crm.actor import Actor
from crm.courses.completion.certificates import store
from crm.courses.completion.certificates.models import Certificate, SealedCertificate, new_number
from crm.courses.completion.certificates.signing import Signer
from crm.courses.completion.events import CertificateIssued
from crm.courses.completion.models import CompletionPolicy, Studies
from crm.db import UnitOfWork
from crm.errors import NotFound, Unavailable
from crm.ids import INSTITUTION
from crm.journal.audit import canonical, performed

_TRIES = 5


async def issue_certificate(
    uow: UnitOfWork, studies: Studies, *, actor: Actor, policy: CompletionPolicy
) -> Certificate:
    """Issue the certificate of a completed enrolment, unless there is one that counts.

    Args:
        studies: read with its enrolment locked, so that nobody else issues another.
    Raises: NotFound("person.unknown"): erased meanwhile.
    """
    if valid := await store.select_valid(uow.conn, studies.enrolment_id):
        return valid.certificate
    made = await _insert(uow, studies, policy)
    uow.publish(
        CertificateIssued(
            number=made.number, enrolment_id=made.enrolment_id, person_id=made.person_id
        )
    )
    uow.audit(
        performed(
            actor, "certificate.issue", about=made.person_id, payload={"certificate": asdict(made)}
        )
    )
    return made


async def signer_of(uow: UnitOfWork) -> Signer:
    """Return the institution's signer."""
    secret = await uow.key(INSTITUTION)
    if secret is None:
        raise Unavailable("certificate.key", "The institution's key is gone.")
    return Signer(secret)


async def _insert(uow: UnitOfWork, studies: Studies, policy: CompletionPolicy) -> Certificate:
    name = await store.select_name(uow.conn, studies.person_id)
    secret = await uow.key(studies.person_id)
    if name is None or secret is None:
        raise NotFound("person.unknown", "There is no such person.")
    signer = await signer_of(uow)
    for _ in range(_TRIES):
        made = _new(uow, studies, policy)
        signature = signer.sign(canonical(made.statement(name)))
        sealed = SealedCertificate(made, made.person_id, secret.seal(name.encode()), signature)
        if await store.insert_certificate(uow.conn, sealed):
            return made
    raise Unavailable("certificate.number", "No free number was found.")


def _new(uow: UnitOfWork, studies: Studies, policy: CompletionPolicy) -> Certificate:
    now = uow.clock.now()
    issued_on = policy.day_of(now)
    return Certificate(
        number=new_number(issued_on),
        enrolment_id=studies.enrolment_id,
        person_id=studies.person_id,
        course_code=studies.course_code,
        title=studies.title,
        hours=studies.hours,
        starts_on=studies.starts_on,
        ends_on=studies.ends_on,
        issued_on=issued_on,
        issued_at=now,
    )
