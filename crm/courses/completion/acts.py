"""Completing an enrolment, as an act within a transaction."""

from uuid import UUID

from crm.actor import Actor
from crm.courses.completion import store
from crm.courses.completion.attendance import store as attendance
from crm.courses.completion.attendance.models import Share
from crm.courses.completion.certificates import store as certificates
from crm.courses.completion.certificates.acts import issue_certificate
from crm.courses.completion.certificates.models import Certificate
from crm.courses.completion.events import CourseCompleted
from crm.courses.completion.models import (
    Completion,
    CompletionPolicy,
    Studies,
    check_completion,
)
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.journal.audit import performed

_DEFAULT_POLICY = CompletionPolicy()


async def complete_enrolment(
    uow: UnitOfWork,
    *,
    enrolment_id: UUID,
    actor: Actor,
    policy: CompletionPolicy = _DEFAULT_POLICY,
    waiver: str | None = None,
) -> Completion:
    """Let somebody pass a course whose sessions they attended, with its certificate. Idempotent.

    The certificate is withheld while payments for the course are pending.

    Args:
        waiver: why attendance does not matter for this one.
    Raises: NotFound("enrolment.unknown"); RuleBroken: see `check_completion`.
    """
    studies = await store.select_studies(uow.conn, enrolment_id, lock=True)
    if studies is None:
        raise NotFound("enrolment.unknown", "There is no such enrolment.")
    if studies.status == "completed":
        valid = await certificates.select_valid(uow.conn, enrolment_id)
        return _completion(uow, studies, valid.certificate if valid else None)
    marks = (await attendance.select_marks(uow.conn, [enrolment_id])).get(enrolment_id, {})
    today = policy.day_of(uow.clock.now())
    share = check_completion(studies, marks, today=today, policy=policy, waived=waiver is not None)
    await store.complete(uow.conn, enrolment_id, at=uow.clock.now())
    _note(uow, studies, share, actor, waiver)
    if studies.owes or not studies.gives_certificate:
        return _completion(uow, studies, None)
    made = await issue_certificate(uow, studies, actor=actor, policy=policy)
    return _completion(uow, studies, made)


def _completion(uow: UnitOfWork, studies: Studies, certificate: Certificate | None) -> Completion:
    return Completion(
        enrolment_id=studies.enrolment_id,
        person_id=studies.person_id,
        cohort_id=studies.cohort_id,
        course_code=studies.course_code,
        completed_at=studies.ended_at or uow.clock.now(),
        certificate=certificate,
        withheld=certificate is None and studies.gives_certificate and studies.owes,
    )


def _note(
    uow: UnitOfWork, studies: Studies, share: Share, actor: Actor, waiver: str | None
) -> None:
    uow.publish(
        CourseCompleted(
            enrolment_id=studies.enrolment_id,
            person_id=studies.person_id,
            course_code=studies.course_code,
        )
    )
    uow.audit(
        performed(
            actor,
            "enrolment.complete",
            about=studies.person_id,
            payload={
                "enrolment_id": str(studies.enrolment_id),
                "attendance": [share.points, share.possible],
                "waiver": waiver,
            },
        )
    )
