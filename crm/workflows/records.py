"""What the journal keeps of sagas: their turns; what steps do is recorded by those who do it."""

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.journal.audit import performed
from crm.workflows import events
from crm.workflows.models import Saga

_EVENTS = {
    "start": events.SagaStarted,
    "compensating": events.SagaTurnedBack,
    "completed": events.SagaCompleted,
    "compensated": events.SagaCompensated,
    "park": events.SagaParked,
}


def record_turn(
    uow: UnitOfWork, saga: Saga, turn: str, *, actor: Actor, code: str | None = None
) -> None:
    """Record that a saga started, turned back, ended, was set aside or resumed."""
    uow.audit(
        performed(
            actor,
            f"saga.{turn}",
            about=saga.person_id,
            payload={"saga_id": saga.id, "kind": saga.kind, "step": saga.step, "code": code},
        )
    )
    if kind := _EVENTS.get(turn):
        uow.publish(kind(saga_id=saga.id, kind=saga.kind, person_id=saga.person_id))
