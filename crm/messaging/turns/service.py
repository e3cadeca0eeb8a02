"""Use cases of turns: hold a conversation, find its work, store what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from crm.db import Connection, Database, UnitOfWork
from crm.errors import Conflict
from crm.ids import ConversationId, RunId, new_id
from crm.messaging.confirmations import store as confirmations
from crm.messaging.confirmations.models import (
    Confirmation,
    ConfirmationStatus,
    decision_entry,
    typed_decision,
)
from crm.messaging.conversations import store as conversations
from crm.messaging.conversations.models import (
    AgentReplied,
    Conversation,
    ConversationStatus,
    Message,
)
from crm.messaging.turns import store
from crm.messaging.turns.models import Lease, Run, TurnOutcome, Wait, Work
from crm.paging import Page, decode_cursor, encode_cursor, page_of

#: Messages that a turn reads; older ones reach it through the summary.
WINDOW = 20
_SILENT = {ConversationStatus.ADVISOR, ConversationStatus.CLOSED}


class TurnService:
    """The agents' desk: one holder a conversation, one run at a time.

    Args:
        lease_life: a holder that does not renew for so long has lost the conversation.
    """

    def __init__(
        self, database: Database, *, lease_life: timedelta = timedelta(seconds=10)
    ) -> None:
        self._db = database
        self._life = lease_life

    @property
    def lease_life_s(self) -> float:
        """Return the seconds after which a lease expires."""
        return self._life.total_seconds()

    # --- leases ---------------------------------------------------------------------------------

    async def acquire(self, conversation_id: UUID) -> Lease | None:
        """Take a conversation; None when somebody else holds it."""
        owner = str(new_id())
        async with self._db.transaction(durable=False) as uow:
            epoch = await store.take_lease(uow.conn, conversation_id, owner=owner, life=self._life)
        return Lease(ConversationId(conversation_id), epoch, owner) if epoch else None

    async def renew(self, lease: Lease) -> bool:
        """Keep holding; False when the lease was lost."""
        async with self._db.transaction(durable=False) as uow:
            return await store.renew_lease(uow.conn, lease, life=self._life)

    async def release(self, lease: Lease) -> None:
        """Let others have the conversation."""
        async with self._db.transaction(durable=False) as uow:
            await store.drop_lease(uow.conn, lease)

    async def fence(self, uow: UnitOfWork, lease: Lease) -> None:
        """Let a transaction go on only while the lease holds, and hold it until it commits.

        Raises: Conflict("lease.lost").
        """
        if not await store.lock_lease(uow.conn, lease):
            raise Conflict("lease.lost", "Another process took this conversation over.")

    # --- work -----------------------------------------------------------------------------------

    async def due(self, *, limit: int = 50) -> list[UUID]:
        """Return conversations that wait and that nobody holds."""
        async with self._db.read() as conn:
            return await store.select_due(conn, limit=limit)

    async def next_work(self, lease: Lease) -> Work | Wait | None:
        """Open or reopen the run that comes next.

        Returns: None when nothing is to be done.
        Raises: Conflict("lease.lost").
        """
        async with self._db.transaction(durable=False) as uow:
            await self.fence(uow, lease)
            conn = uow.conn
            wait = await store.select_wait(conn, lease.conversation_id)
            if wait is None:
                return None
            if wait > 0:
                return Wait(wait)
            conversation = await conversations.select_conversation(conn, lease.conversation_id)
            work = None
            if conversation.status not in _SILENT:
                work = await self._find(uow, lease, conversation)
            if work is None:
                await store.delete_request(conn, lease.conversation_id)
            return work

    async def _find(self, uow: UnitOfWork, lease: Lease, conversation: Conversation) -> Work | None:
        opened = await confirmations.select_open(uow.conn, conversation.id)
        decided = [c for c in opened if c.status is not ConfirmationStatus.PENDING]
        if decided:
            return await self._work(uow, lease, conversation, (), opened, decided[-1])
        crashed = await store.select_crashed_run(uow.conn, conversation.id)
        unanswered = await store.select_unanswered(uow.conn, conversation.id)
        if crashed and crashed["has_steps"]:
            # Its recorded steps answer the messages it had; newer ones make the next turn.
            unanswered = [m for m in unanswered if m in crashed["message_ids"]]
        if not unanswered:
            return None
        run_id = RunId(crashed["id"]) if crashed else None
        return await self._work(uow, lease, conversation, unanswered, opened, None, run_id)

    async def _work(
        self,
        uow: UnitOfWork,
        lease: Lease,
        conversation: Conversation,
        message_ids: Sequence[UUID],
        opened: Sequence[Confirmation],
        decided: Confirmation | None,
        run_id: RunId | None = None,
    ) -> Work:
        window = await conversations.select_last_messages(uow.conn, conversation.id, limit=WINDOW)
        answering = tuple(m for m in window if m.id in set(message_ids))
        decided = decided or await self._typed(uow, conversation, answering, opened)
        if decided is not None:
            run_id = RunId(decided.call.run_id)
        attempt = 1
        if run_id is None:
            run_id, ordinal = await store.insert_run(uow.conn, lease, at=self._db.clock.now())
        else:
            ordinal, attempt = await store.reopen_run(uow.conn, lease, run_id)
        await store.link_messages(uow.conn, run_id, message_ids)
        pending = [c for c in opened if c.status is ConfirmationStatus.PENDING and c != decided]
        return Work(
            run_id=run_id,
            ordinal=ordinal,
            attempt=attempt,
            conversation=conversation,
            window=tuple(window),
            answering=answering,
            decided=decided,
            pending=next((c for c in pending if c.expires_at > self._db.clock.now()), None),
            steps=await store.select_steps(uow.conn, run_id),
        )

    async def _typed(
        self,
        uow: UnitOfWork,
        conversation: Conversation,
        answering: Sequence[Message],
        opened: Sequence[Confirmation],
    ) -> Confirmation | None:
        """Return the confirmation that a typed yes or no decides, now decided.

        Only a WRITE, only the one shown last, only while it is the single one that is pending.
        """
        now = self._db.clock.now()
        live = [c for c in opened if c.expires_at > now]
        if len(live) != 1 or len(answering) != 1 or live[0].call.effect != "WRITE":
            return None
        decision = typed_decision(answering[0].body)
        if decision is None or not await self._shown_last(uow.conn, live[0], answering[0]):
            return None
        status = (
            ConfirmationStatus.ACCEPTED if decision == "accept" else ConfirmationStatus.REJECTED
        )
        await confirmations.update_decision(
            uow.conn, live[0].id, status=status, decided_by="typed", at=now
        )
        uow.audit(decision_entry(live[0], decision, conversation.student))
        return await confirmations.select_confirmation(uow.conn, live[0].id)

    async def _shown_last(
        self, conn: Connection, confirmation: Confirmation, answer: Message
    ) -> bool:
        log = await conversations.select_last_messages(
            conn, confirmation.call.conversation_id, limit=WINDOW
        )
        before = [m for m in log if m.ordinal < answer.ordinal]
        return bool(before) and any(
            a.get("confirmation_id") == str(confirmation.id) for a in before[-1].actions
        )

    # --- results --------------------------------------------------------------------------------

    async def newer_messages(self, work: Work) -> bool:
        """Return whether the student has written since the run began."""
        async with self._db.read() as conn:
            unanswered = await store.select_unanswered(conn, work.conversation.id)
        return bool(set(unanswered) - {m.id for m in work.answering})

    async def record_step(
        self, uow: UnitOfWork, work: Work, step: int, output: Mapping[str, object]
    ) -> None:
        """Keep a model's output in the transaction of the effect it asked for."""
        await store.insert_step(uow.conn, work.run_id, step, output, at=self._db.clock.now())

    async def commit(self, lease: Lease, work: Work, outcome: TurnOutcome) -> Message | None:
        """Store a run's reply, records and end, in one transaction; return the reply.

        Raises: Conflict("lease.lost"): nothing was stored.
        """
        now = self._db.clock.now()
        async with self._db.transaction() as uow:
            await self.fence(uow, lease)
            held = await conversations.select_conversation(
                uow.conn, lease.conversation_id, lock=True
            )
            silenced = held.status in _SILENT
            reply = None if silenced else await self._say(uow, work, outcome)
            await store.mark_answered(uow.conn, work.run_id, [m.id for m in work.answering])
            await store.close_run(uow.conn, work.run_id, outcome, at=now)
            await conversations.update_memory(
                uow.conn, held.id, locale=outcome.locale, memory=outcome.memory
            )
            if work.decided is not None:
                await confirmations.close(uow.conn, work.decided.id, at=now)
            for entry in outcome.audits:
                uow.audit(entry)
            await self._settle_request(uow, lease)
            return reply

    async def _say(self, uow: UnitOfWork, work: Work, outcome: TurnOutcome) -> Message | None:
        if outcome.reply is None:
            return None
        external_id = f"{work.run_id}:{outcome.steps}:{outcome.status}"
        await conversations.insert_message(
            uow.conn,
            conversation_id=work.conversation.id,
            role="agent",
            source="run",
            external_id=external_id,
            body=outcome.reply,
            at=self._db.clock.now(),
            citations=outcome.citations,
            actions=outcome.actions,
            run_id=work.run_id,
        )
        message = await conversations.select_message(
            uow.conn, source="run", external_id=external_id
        )
        uow.publish(
            AgentReplied(
                conversation_id=message.conversation_id, message_id=message.id, run_id=work.run_id
            )
        )
        return message

    async def _settle_request(self, uow: UnitOfWork, lease: Lease) -> None:
        """Drop the request unless something came in while the run was under way."""
        unanswered = await store.select_unanswered(uow.conn, lease.conversation_id)
        opened = await confirmations.select_open(uow.conn, lease.conversation_id)
        if not unanswered and all(c.status is ConfirmationStatus.PENDING for c in opened):
            await store.delete_request(uow.conn, lease.conversation_id)

    # --- what admins see ------------------------------------------------------------------------

    async def list_runs(
        self,
        *,
        status: str | None = None,
        conversation_id: UUID | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Run]:
        """Return runs, newest first."""
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_runs(
                conn, status=status, conversation_id=conversation_id, after=after, limit=limit + 1
            )
        return page_of(rows, limit, lambda r: encode_cursor(r.started_at, r.id))

    async def get_run(self, run_id: UUID) -> Run:
        """Return a run.

        Raises: NotFound("run.unknown").
        """
        async with self._db.read() as conn:
            return await store.select_run(conn, run_id)
