"""Use cases of turns: hold a conversation, find its work, store what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from crm.db import Connection, Database, UnitOfWork
from crm.errors import Conflict
from crm.ids import ConversationId, RunId, new_id
from crm.journal.audit import AuditEntry
from crm.messaging.confirmations import store as confirmations
from crm.messaging.confirmations.models import (
    Confirmation,
    ConfirmationStatus,
    typed_decision,
)
from crm.messaging.confirmations.service import take_decision
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
#: Of which so many are left to what came before a long burst.
_CONTEXT = 5
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
            work = await self._find(uow, lease, conversation)
            return work or await self._stand_down(uow, conversation)

    async def _find(self, uow: UnitOfWork, lease: Lease, conversation: Conversation) -> Work | None:
        opened = await confirmations.select_open(uow.conn, conversation.id)
        decided = [c for c in opened if c.status is not ConfirmationStatus.PENDING]
        if decided:
            # What was agreed to is carried out whoever answers; a typed yes is answered with it.
            linked = await store.select_linked(uow.conn, decided[-1].call.run_id)
            return await self._work(uow, lease, conversation, linked, opened, decided[-1])
        unanswered = await store.select_unanswered(uow.conn, conversation.id)
        if conversation.status in _SILENT or not unanswered:
            return None
        crashed = await store.select_crashed_run(uow.conn, conversation.id)
        left = [m for m in unanswered if crashed and m in crashed["message_ids"]]
        if crashed is None or not left:
            await self._abort(uow, conversation)
            return await self._work(uow, lease, conversation, unanswered, opened, None)
        # Recorded steps answer the messages that their run had; newer ones make the next turn.
        asked = left if crashed["has_steps"] else unanswered
        run_id = RunId(crashed["id"])
        return await self._work(uow, lease, conversation, asked, opened, None, run_id)

    async def _stand_down(self, uow: UnitOfWork, conversation: Conversation) -> Wait | None:
        """Withdraw the request, unless something came in since it was looked for."""
        if not await self._settle_request(uow, conversation.id):
            return Wait(0.0)
        await self._abort(uow, conversation)
        return None

    async def _abort(self, uow: UnitOfWork, conversation: Conversation) -> None:
        """Close what lost holders left open and nothing waits for any more."""
        for run_id in await store.abort_runs(uow.conn, conversation.id, at=self._db.clock.now()):
            uow.audit(_aborted(conversation, run_id))

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
        window = await conversations.select_window(
            uow.conn,
            conversation.id,
            answering=message_ids,
            limit=max(WINDOW - len(message_ids), _CONTEXT),
        )
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
        held = await confirmations.select_confirmation(uow.conn, live[0].id, lock=True)
        if held.status is not ConfirmationStatus.PENDING:
            return None
        await take_decision(uow, held, decision, decided_by="typed", actor=conversation.student)
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
            if work.decided is not None:
                await confirmations.close(uow.conn, work.decided.id, at=now)
            else:
                # A resumed run remembers what was before it asked; later turns know better.
                await conversations.update_memory(
                    uow.conn, held.id, locale=outcome.locale, memory=outcome.memory
                )
            for entry in outcome.audits:
                uow.audit(entry)
            await self._settle_request(uow, lease.conversation_id)
            return reply

    async def _say(self, uow: UnitOfWork, work: Work, outcome: TurnOutcome) -> Message | None:
        if outcome.reply is None:
            return None
        asked = [a["confirmation_id"] for a in outcome.actions if "confirmation_id" in a]
        external_id = ":".join(map(str, (work.run_id, outcome.steps, outcome.status, *asked)))
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

    async def _settle_request(self, uow: UnitOfWork, conversation_id: ConversationId) -> bool:
        """Drop the request unless there is more to do; return whether none is left.

        Whoever asks for a turn waits for the lock: what they put in is either seen here, or asked
        for anew when this has committed.
        """
        if not await store.lock_request(uow.conn, conversation_id):
            return True
        opened = await confirmations.select_open(uow.conn, conversation_id)
        if any(c.status is not ConfirmationStatus.PENDING for c in opened):
            return False
        conversation = await conversations.select_conversation(uow.conn, conversation_id)
        if conversation.status not in _SILENT and await store.select_unanswered(
            uow.conn, conversation_id
        ):
            return False
        await store.delete_request(uow.conn, conversation_id)
        return True

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """File audit records of calls that were not carried out."""
        async with self._db.transaction() as uow:
            for entry in entries:
                uow.audit(entry)

    async def ended_threads(self, *, limit: int = 100) -> list[UUID]:
        """Return runs that ended and still have checkpoints: nobody will resume them."""
        async with self._db.read() as conn:
            return await store.select_ended_threads(conn, limit=limit)

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


def _aborted(conversation: Conversation, run_id: RunId) -> AuditEntry:
    return AuditEntry(
        actor=conversation.student,
        action="turn",
        effect="NONE",
        outcome="aborted",
        decision="superseded",
        chain_id=conversation.id,
        conversation_id=conversation.id,
        run_id=run_id,
    )
