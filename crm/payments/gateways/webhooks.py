"""Takes the gateways' webhooks: the signature first, then each event in its own transaction."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, OrientaError, RuleBroken, Unauthenticated
from crm.identity.permissions import Area, require
from crm.journal.audit import AuditEntry, Outcome
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.payments.gateways import store
from crm.payments.gateways.dead_notes import DeadNote
from crm.payments.gateways.protocol import Gateway, GatewayEvent

Receive = Callable[[UnitOfWork, GatewayEvent], Awaitable[bool]]


class WebhookReceiver:
    """Hands what gateways report to the books.

    Args:
        gateways: those of this deployment, by name.
        receive: folds an event into its payment; False when it was seen before.
    """

    def __init__(
        self, database: Database, gateways: Mapping[str, Gateway], *, receive: Receive
    ) -> None:
        self._db = database
        self._gateways = gateways
        self._receive = receive

    async def take(self, name: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take a webhook in, and return how many of its events were new.

        What is the gateway's own, but about nothing we know, is noted and not refused: refusing
        would only make the gateway send it again.

        Args:
            headers: lower-case names.

        Raises:
            NotFound("gateway.inactive"): this deployment does not use the gateway.
            Unauthenticated("webhook.signature" | "webhook.stale"): audited.
            RuleBroken("webhook.malformed"): audited.
        """
        gateway = self._gateways.get(name)
        if gateway is None:
            raise NotFound("gateway.inactive", "This deployment does not use that gateway.")
        try:
            events = await gateway.read_webhook(headers, body, now=self._db.clock.now())
        except (Unauthenticated, RuleBroken) as refused:
            await self._audit_refusal(name, refused)
            raise
        except NotFound as unknown:
            await self._note(name, store.digest_of(body), unknown)
            return 0
        return sum([await self._take_event(event) for event in events])

    async def list_dead_notes(
        self, *, cursor: str | None, limit: int, actor: Actor
    ) -> Page[DeadNote]:
        """Return the webhooks that led nowhere, the latest first.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.EVENTS)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_dead_notes(conn, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda note: encode_cursor(note.noted_at, note.id))

    async def _take_event(self, event: GatewayEvent) -> bool:
        try:
            async with self._db.transaction() as uow:
                return await self._receive(uow, event)
        except (NotFound, RuleBroken) as unusable:
            await self._note(event.gateway, event.event_id, unusable)
            return False

    async def _note(self, gateway: str, event_id: str, why: OrientaError) -> None:
        async with self._db.transaction() as uow:
            at = uow.clock.now()
            if await store.insert_dead_note(uow.conn, gateway, event_id, code=why.code, at=at):
                uow.audit(_entry(gateway, "failed", why))

    async def _audit_refusal(self, gateway: str, why: OrientaError) -> None:
        async with self._db.transaction() as uow:
            uow.audit(_entry(gateway, "refused", why))


def _entry(gateway: str, outcome: Outcome, why: OrientaError) -> AuditEntry:
    return AuditEntry(
        actor=SERVICE_ACTOR,
        action="payments.webhook",
        effect="NONE",
        outcome=outcome,
        decision="webhook.read",
        error_code=why.code,
        payload={"gateway": gateway},
    )
