"""Sends what shall leave: intent, act, result, with no network call inside a transaction."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from crm.actor import SERVICE_ACTOR
from crm.db import Database, UnitOfWork
from crm.errors import OrientaError, RuleBroken, Unavailable
from crm.journal.audit import AuditEntry, Outcome, canonical
from crm.messaging.outbound import store
from crm.messaging.outbound.models import (
    ClaimedMessage,
    OutboundIntent,
    RefusedIntent,
    RenderedMessage,
    refusal,
    wait_after,
)
from crm.messaging.outbound.proof import prove_contact
from crm.messaging.outbound.rendering import render
from crm.people.contact.models import ContactRefused
from crm.people.contact.quiet import QuietHours


class Transport(Protocol):
    """Carries a message out of the house."""

    async def send(self, mail: RenderedMessage) -> None:
        """Hand the message over; a second call with the same effect key delivers nothing more.

        Raises: Unavailable: another try may help. Any other OrientaError: none will.
        """
        ...


#: Says by an error that a message is no longer called for; given its effect key.
SendCheck = Callable[[UnitOfWork, str], Awaitable[None]]


class OutboundService:
    """Delivers intents; any number of processes may do so at once.

    Args:
        quiet: hours in which what rests on consent has to wait.
        checks: by template, what else has to hold at the moment of sending.
    """

    def __init__(
        self,
        database: Database,
        transport: Transport,
        *,
        quiet: QuietHours,
        checks: Mapping[str, SendCheck] = MappingProxyType({}),
    ) -> None:
        self._db = database
        self._transport = transport
        self._quiet = quiet
        self._checks = checks

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

    async def forget_closed(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete messages that left or failed long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await store.delete_closed(uow.conn, before=before, limit=limit)

    async def _deliver(self, message: ClaimedMessage) -> None:
        error = refusal(message, self._db.clock.now())
        if error is not None:
            await self._close(message, error)
            return
        try:
            # The last word before it leaves: what was withdrawn meanwhile is not sent.
            mail = await self._prove_and_open(message)
            await self._transport.send(mail)
        except ContactRefused as refused:
            await self._refuse(message, refused)
        except Unavailable as failure:
            await self._postpone(message, failure.code)
        except OrientaError as failure:
            await self._close(message, failure.code)
        else:
            await self._close(message, None)

    async def _prove_and_open(self, message: ClaimedMessage) -> RenderedMessage:
        async with self._db.transaction() as uow:
            proof = await prove_contact(
                uow,
                person_id=message.person_id,
                basis=message.basis,
                channel=message.channel,
                purpose=message.purpose,
                quiet=self._quiet,
            )
            if check := self._checks.get(message.template):
                await check(uow, message.effect_key)
            key = await uow.key(UUID(message.sealed["subject"]))
        if key is None:
            raise RuleBroken("subject.erased", "This person's records were erased.")
        plain = json.loads(key.open(base64.b64decode(message.sealed["box"])))
        # A code proves the very address that it was made for.
        if plain["to"] not in (None, proof.recipient):
            raise ContactRefused("contact.address", "The address has changed meanwhile.")
        title, body = render(message.template, message.locale, plain["params"])
        return RenderedMessage(message.effect_key, message.channel, proof.recipient, title, body)

    async def _refuse(self, message: ClaimedMessage, refused: ContactRefused) -> None:
        if refused.retry_at is None:
            await self._close(message, refused.code)
        else:
            await self._put_off(message, refused.code, until=refused.retry_at)

    async def _put_off(self, message: ClaimedMessage, code: str, *, until: datetime) -> None:
        """Leave it for the end of the quiet hours; nothing has been tried."""
        async with self._db.transaction() as uow:
            await store.postpone_outbound(
                uow.conn, message.id, error=code, until=until, counted=False
            )
            uow.audit(_record(message, code, outcome="refused"))

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

    Raises: Unavailable("subject.erased"): the person's key was destroyed.
    """
    proof = intent.proof
    key = await uow.key(proof.person_id)
    if key is None:
        raise Unavailable("subject.erased", "This person's records were erased.")
    bound_to = proof.recipient if proof.basis == "security_code" else None
    plain = canonical({"to": bound_to, "params": dict(intent.params)})
    sealed = {
        "subject": str(proof.person_id),
        "box": base64.b64encode(key.seal(plain)).decode(),
    }
    await store.insert_outbound(uow.conn, intent, sealed=sealed, at=uow.clock.now())


async def refuse_outbound(uow: UnitOfWork, intent: RefusedIntent) -> None:
    """Record in this transaction that a message was wanted and must not leave."""
    await store.insert_refused(uow.conn, intent, at=uow.clock.now())


def _record(
    message: ClaimedMessage, error: str | None, *, outcome: Outcome | None = None
) -> AuditEntry:
    return AuditEntry(
        actor=SERVICE_ACTOR,
        action="outbound.send",
        effect="OUTBOUND",
        outcome=outcome or ("failed" if error else "ok"),
        decision=f"basis.{message.basis}",
        error_code=error,
        about=message.person_id,
        payload={"template": message.template, "channel": message.channel},
        effect_key=f"outbound:{message.effect_key}",
    )
