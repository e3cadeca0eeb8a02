"""The sandbox's counter: what payers choose on its page, and what admins make it do."""

from dataclasses import asdict
from uuid import UUID

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.identity.permissions import Area, require
from crm.journal.audit import Effect, performed
from crm.payments.gateways.sandbox import store, till
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.payments.gateways.sandbox.models import Outcome, SandboxCheckout


class SandboxDesk:
    """Serves the payment page and the admins of a demonstration."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get_checkout(self, checkout_id: str) -> SandboxCheckout:
        """Return a checkout; whoever knows its id may see it.

        Raises: NotFound("gateway.unknown").
        """
        async with self._db.read() as conn:
            return await till.require_checkout(conn, checkout_id)

    async def decide(self, checkout_id: str, outcome: Outcome) -> None:
        """Pay or decline, once; nothing when the checkout is no longer open.

        Raises: NotFound("gateway.unknown").
        """
        async with self._db.transaction() as uow:
            await till.decide(uow, checkout_id, outcome)

    async def behave(
        self, behaviour: Behaviour, *, payment_id: UUID | None, actor: Actor
    ) -> Behaviour:
        """Tell the sandbox how to misbehave, to everybody or to one payment.

        Raises: Denied("auth.role").
        """
        scope = str(payment_id) if payment_id else store.EVERYTHING
        async with self._begin(actor).transaction() as uow:
            await store.upsert_behaviour(uow.conn, scope, behaviour)
            _audit(uow, actor, "sandbox.behave", "WRITE", {"scope": scope, **asdict(behaviour)})
        return behaviour

    async def get_behaviour(self, *, actor: Actor) -> Behaviour:
        """Return how the sandbox behaves to everybody.

        Raises: Denied("auth.role").
        """
        async with self._begin(actor).read() as conn:
            return await store.select_behaviour(conn, None)

    async def open_dispute(
        self, checkout_id: str, amount_minor: int | None, *, actor: Actor
    ) -> None:
        """Let the payer dispute a payment, or a part of it.

        Raises: NotFound("gateway.unknown"), RuleBroken("dispute.…"), Denied("auth.role").
        """
        async with self._begin(actor).transaction() as uow:
            await till.open_dispute(uow, checkout_id, amount_minor)
            _audit(uow, actor, "sandbox.dispute", "MONEY", {"checkout": checkout_id})

    async def decide_dispute(self, checkout_id: str, *, won: bool, actor: Actor) -> None:
        """Decide a dispute for the institution or against it.

        Raises: NotFound("gateway.unknown"), RuleBroken("dispute.none"), Denied("auth.role").
        """
        async with self._begin(actor).transaction() as uow:
            await till.decide_dispute(uow, checkout_id, won=won)
            said = {"checkout": checkout_id, "won": won}
            _audit(uow, actor, "sandbox.decide_dispute", "MONEY", said)

    def _begin(self, actor: Actor) -> Database:
        require(actor, Area.EVENTS, write=True)
        return self._db


def _audit(
    uow: UnitOfWork, actor: Actor, action: str, effect: Effect, said: dict[str, object]
) -> None:
    uow.audit(performed(actor, action, effect, payload=said))
