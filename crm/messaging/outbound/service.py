"""Sends what shall leave: intent, act, result, with no network call inside a transaction."""

import base64
import json
from typing import Protocol
from uuid import UUID

from crm.actor import SERVICE_ACTOR
from crm.db import Database, UnitOfWork
from crm.errors import OrientaError, Unavailable
from crm.journal import store as journal
from crm.journal.audit import AuditEntry, canonical
from crm.messaging.outbound import store
from crm.messaging.outbound.models import (
    ClaimedMessage,
    OutboundIntent,
    RenderedMessage,
    refusal,
    wait_after,
)
from crm.messaging.outbound.rendering import render


class Transport(Protocol):
    """Carries a message out of the house."""

    async def send(self, mail: RenderedMessage) -> None:
        """Hand the message over; a second call with the same effect key delivers nothing more.

        Raises: Unavailable: another try may help. Any other OrientaError: none will.
        """
        ...


class OutboundService:
    """Delivers intents; any number of processes may do so at once."""

    def __init__(self, database: Database, transport: Transport) -> None:
        self._db = database
        self._transport = transport

    async def deliver_due(self, limit: int = 20) -> int:
        """Send what is due.

        Returns: how many messages were taken up, whatever became of them; 0 when nothing was due.
        """
        for count in range(limit):
            # A claim lost in a crash costs a second attempt, which the transport recognises.
            async with self._db.transaction(durable=False) as uow:
                message = await store.claim_next(uow.conn, at=uow.clock.now())
            if message is None:
                return count
            await self._deliver(message)
        return limit

    async def _deliver(self, message: ClaimedMessage) -> None:
        error = refusal(message, self._db.clock.now())
        mail = None if error else await self._open(message)
        if mail is None:
            await self._close(message, error or "subject.erased")
            return
        try:
            await self._transport.send(mail)
        except Unavailable as failure:
            await self._postpone(message, failure.code)
        except OrientaError as failure:
            await self._close(message, failure.code)
        else:
            await self._close(message, None)

    async def _open(self, message: ClaimedMessage) -> RenderedMessage | None:
        subject = UUID(message.sealed["subject"])
        async with self._db.read() as conn:
            keys = await journal.ensure_keys(
                conn, [subject], vault=self._db.vault, at=self._db.clock.now()
            )
        key = keys[subject]
        if key is None:
            return None
        plain = json.loads(key.open(base64.b64decode(message.sealed["box"])))
        title, body = render(message.template, message.locale, plain["params"])
        return RenderedMessage(message.effect_key, message.channel, plain["to"], title, body)

    async def _postpone(self, message: ClaimedMessage, error: str) -> None:
        async with self._db.transaction() as uow:
            until = uow.clock.now() + wait_after(message.attempts)
            await store.postpone_outbound(uow.conn, message.id, error=error, until=until)
            uow.audit(_record(message, error))

    async def _close(self, message: ClaimedMessage, error: str | None) -> None:
        async with self._db.transaction() as uow:
            if await store.close_outbound(uow.conn, message.id, error=error, at=uow.clock.now()):
                uow.audit(_record(message, error))


async def queue_outbound(uow: UnitOfWork, intent: OutboundIntent) -> None:
    """Record in this transaction that a message shall leave; delivery comes after its commit.

    Raises: Unavailable("subject.erased"): the subject's key was destroyed.
    """
    key = await uow.key(intent.subject_id)
    if key is None:
        raise Unavailable("subject.erased", "This person's records were erased.")
    plain = canonical({"to": intent.recipient, "params": dict(intent.params)})
    box = base64.b64encode(key.seal(plain)).decode()
    sealed = {} if intent.refused else {"subject": str(intent.subject_id), "box": box}
    await store.insert_outbound(uow.conn, intent, sealed=sealed, at=uow.clock.now())


def _record(message: ClaimedMessage, error: str | None) -> AuditEntry:
    return AuditEntry(
        actor=SERVICE_ACTOR,
        action="outbound.send",
        effect="OUTBOUND",
        outcome="failed" if error else "ok",
        decision=f"basis.{message.basis}",
        error_code=error,
        about=message.person_id,
        payload={"template": message.template, "channel": message.channel},
        effect_key=f"outbound:{message.effect_key}",
    )
