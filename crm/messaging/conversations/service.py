"""Use cases of conversations: sessions, accepting messages, take-over, replies by people."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from crm.actor import Actor, IdentityLevel
from crm.db import Database, UnitOfWork
from crm.errors import Conflict, Unauthenticated
from crm.ids import ConversationId, PersonId, SubjectId, new_id
from crm.journal import store as journal
from crm.journal.audit import AuditEntry
from crm.messaging.conversations import store
from crm.messaging.conversations.models import (
    AcceptedMessage,
    AdvisorReplied,
    Channel,
    ChatSession,
    Conversation,
    ConversationReleased,
    ConversationStatus,
    ConversationSummary,
    ConversationTakenOver,
    Locale,
    Message,
    MessageReceived,
    StartedSession,
    TurnRequested,
    clean_text,
    require_taken_by,
)
from crm.messaging.turns import store as turns
from crm.paging import Page, decode_cursor, encode_cursor, page_of


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class ConversationService:
    """Keeps the log that everything else reads.

    Args:
        settle: how long a burst may pause before it is answered.
        settle_max: how long the first message of a burst waits at the most.
    """

    def __init__(
        self,
        database: Database,
        *,
        session_life: timedelta = timedelta(days=7),
        max_chars: int = 4_000,
        settle: timedelta = timedelta(milliseconds=400),
        settle_max: timedelta = timedelta(milliseconds=2_500),
    ) -> None:
        self._db = database
        self._session_life = session_life
        self._max_chars = max_chars
        self._settle = settle
        self._settle_max = settle_max

    # --- sessions -------------------------------------------------------------------------------

    async def start_session(
        self, *, locale: Locale, channel: Channel = "widget", person_id: PersonId | None = None
    ) -> StartedSession:
        """Open a conversation and a session for it; verified when the person is known."""
        async with self._db.transaction() as uow:
            return await self._open(uow, locale=locale, channel=channel, person_id=person_id)

    async def _open(
        self, uow: UnitOfWork, *, locale: Locale, channel: Channel, person_id: PersonId | None
    ) -> StartedSession:
        now = self._db.clock.now()
        subject_id = SubjectId(person_id or new_id())
        level = IdentityLevel.VERIFIED if person_id else IdentityLevel.VISITOR
        conversation = Conversation(
            id=ConversationId(new_id()),
            channel=channel,
            subject_id=subject_id,
            person_id=person_id,
            locale=locale,
            level=level,
            status=ConversationStatus.AGENT,
            staff_id=None,
            handoff_reason=None,
            summary="",
            memory={},
            created_at=now,
            last_message_at=now,
        )
        await store.insert_conversation(uow.conn, conversation)
        return await self._issue(uow, conversation.id, subject_id, person_id, level)

    async def _issue(
        self,
        uow: UnitOfWork,
        conversation_id: ConversationId,
        subject_id: SubjectId,
        person_id: PersonId | None,
        level: IdentityLevel,
    ) -> StartedSession:
        now = self._db.clock.now()
        token = secrets.token_urlsafe(32)
        session = ChatSession(
            conversation_id=conversation_id,
            subject_id=subject_id,
            person_id=person_id,
            level=level,
            expires_at=now + self._session_life,
        )
        await store.insert_session(uow.conn, session, token_hash=_hash(token), at=now)
        return StartedSession(token, session)

    async def session_by_token(self, token: str) -> ChatSession:
        """Return what a token stands for.

        Raises: Unauthenticated("session.unknown" | "session.expired" | "session.revoked").
        """
        async with self._db.read() as conn:
            found = await store.select_session(conn, token_hash=_hash(token))
        if found is None:
            raise Unauthenticated("session.unknown", "The session is not known.")
        session, revoked_at = found
        if revoked_at is not None:
            raise Unauthenticated("session.revoked", "The session was replaced by a newer one.")
        if session.expires_at <= self._db.clock.now():
            raise Unauthenticated("session.expired", "The session has expired.")
        return session

    async def forget_sessions(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete sessions that expired long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await store.delete_sessions(uow.conn, before=before, limit=limit)

    async def verify_session(self, session: ChatSession, person_id: PersonId) -> StartedSession:
        """Rotate a session after its student proved who they are.

        The conversation carries over; if it already belongs to another person, a new one starts,
        so that two people on one device do not mix.
        """
        async with self._db.transaction() as uow:
            held = await store.select_conversation(uow.conn, session.conversation_id, lock=True)
            await store.revoke_sessions(uow.conn, conversation_id=held.id, at=self._db.clock.now())
            if held.person_id not in (None, person_id):
                return await self._open(
                    uow, locale=held.locale, channel=held.channel, person_id=person_id
                )
            await self._link(uow, held, person_id)
            return await self._issue(
                uow, held.id, held.subject_id, person_id, IdentityLevel.VERIFIED
            )

    async def _link(self, uow: UnitOfWork, held: Conversation, person_id: PersonId) -> None:
        await store.update_person(
            uow.conn, held.id, person_id=person_id, level=IdentityLevel.VERIFIED
        )
        await uow.key(held.subject_id)
        await journal.link_key_to_person(uow.conn, held.subject_id, person_id)

    # --- the log --------------------------------------------------------------------------------

    async def accept_message(
        self, session: ChatSession, *, client_message_id: str, text: str
    ) -> AcceptedMessage:
        """Put a student's message into the log and ask for a turn, in one transaction.

        Raises:
            RuleBroken("message.empty" | "message.too_long").
            Conflict("idempotency.mismatch"): the same client id came with another text.
        """
        body = clean_text(text, max_chars=self._max_chars)
        source = f"widget:{session.conversation_id}"
        async with self._db.transaction() as uow:
            created = await store.insert_message(
                uow.conn,
                conversation_id=session.conversation_id,
                role="student",
                source=source,
                external_id=client_message_id,
                body=body,
                at=self._db.clock.now(),
            )
            message = await store.select_message(
                uow.conn, source=source, external_id=client_message_id
            )
            if message.body != body:
                raise Conflict("idempotency.mismatch", "This id was used with another text.")
            if created:
                await self._request_turn(uow, message)
        return AcceptedMessage(message, created)

    async def _request_turn(self, uow: UnitOfWork, message: Message) -> None:
        await turns.request_turn(
            uow.conn, message.conversation_id, settle=self._settle, settle_max=self._settle_max
        )
        uow.publish(MessageReceived(conversation_id=message.conversation_id, message_id=message.id))
        uow.publish(TurnRequested(conversation_id=message.conversation_id))

    async def get_conversation(self, conversation_id: UUID) -> Conversation:
        """Return a conversation.

        Raises: NotFound("conversation.unknown").
        """
        async with self._db.read() as conn:
            return await store.select_conversation(conn, conversation_id)

    async def next_ordinal(self) -> int:
        """Return a place in the order of messages and runs, after all that there is."""
        async with self._db.read() as conn:
            return await store.draw_ordinal(conn)

    async def get_message(self, message_id: UUID) -> Message:
        """Return a message.

        Raises: NotFound("message.unknown").
        """
        async with self._db.read() as conn:
            return await store.select_message_by_id(conn, message_id)

    async def list_messages(
        self, conversation_id: UUID, *, since: str | None, limit: int
    ) -> Page[Message]:
        """Return the log in order, from after the cursor; the last page's cursor is None."""
        after = decode_cursor(since, int)
        async with self._db.read() as conn:
            rows = await store.select_messages(
                conn,
                conversation_id,
                after_ordinal=after[0] if after else 0,
                limit=limit + 1,
            )
        return page_of(rows, limit, lambda m: encode_cursor(m.ordinal))

    async def list_conversations(
        self, *, status: str | None, cursor: str | None, limit: int
    ) -> Page[ConversationSummary]:
        """Return conversations, the most recently active first."""
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_summaries(conn, status=status, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda c: encode_cursor(c.last_message_at, c.id))

    # --- people take over -----------------------------------------------------------------------

    async def mark_waiting(self, uow: UnitOfWork, conversation_id: UUID, *, reason: str) -> None:
        """Note, within a hand-off's transaction, that a person was asked for."""
        held = await store.select_conversation(uow.conn, conversation_id, lock=True)
        if held.status is ConversationStatus.AGENT:
            await store.update_status(
                uow.conn,
                conversation_id,
                status=ConversationStatus.WAITING,
                staff_id=None,
                reason=reason,
            )

    async def take_over(
        self, uow: UnitOfWork, conversation_id: UUID, *, actor: Actor
    ) -> Conversation:
        """Make a member of staff the one who answers; the agents are silent from now on.

        Raises: Conflict("conversation.taken"): a colleague has it.
        """
        held = await store.select_conversation(uow.conn, conversation_id, lock=True)
        taken = held.status is ConversationStatus.ADVISOR
        if taken and held.staff_id != actor.staff_id:
            raise Conflict("conversation.taken", "A colleague has taken this conversation over.")
        if not taken and actor.staff_id is not None:
            await store.update_status(
                uow.conn,
                conversation_id,
                status=ConversationStatus.ADVISOR,
                staff_id=actor.staff_id,
                reason=held.handoff_reason,
            )
            await turns.delete_request(uow.conn, conversation_id)
            uow.publish(ConversationTakenOver(conversation_id=held.id, staff_id=actor.staff_id))
            uow.audit(_staff_act(actor, "conversation.take_over", held))
        return await store.select_conversation(uow.conn, conversation_id)

    async def release(
        self, uow: UnitOfWork, conversation_id: UUID, *, actor: Actor
    ) -> Conversation:
        """Hand a conversation back to the agents.

        Raises: RuleBroken("conversation.not_taken"): it is not this advisor's.
        """
        held = await store.select_conversation(uow.conn, conversation_id, lock=True)
        require_taken_by(held, actor.staff_id)
        if actor.staff_id is not None:
            await store.mark_answered_by_staff(uow.conn, conversation_id, actor.staff_id)
        await store.update_status(
            uow.conn, conversation_id, status=ConversationStatus.AGENT, staff_id=None, reason=None
        )
        if actor.staff_id is not None:
            uow.publish(ConversationReleased(conversation_id=held.id, staff_id=actor.staff_id))
        uow.audit(_staff_act(actor, "conversation.release", held))
        return await store.select_conversation(uow.conn, conversation_id)

    async def reply_as_advisor(
        self, conversation_id: UUID, *, client_message_id: str, text: str, actor: Actor
    ) -> AcceptedMessage:
        """Put an advisor's message into the log, once per client id.

        Raises: RuleBroken("conversation.not_taken"), and as `accept_message`.
        """
        body = clean_text(text, max_chars=self._max_chars)
        source = f"staff:{conversation_id}"
        async with self._db.transaction() as uow:
            held = await store.select_conversation(uow.conn, conversation_id, lock=True)
            require_taken_by(held, actor.staff_id)
            created = await store.insert_message(
                uow.conn,
                conversation_id=conversation_id,
                role="advisor",
                source=source,
                external_id=client_message_id,
                body=body,
                at=self._db.clock.now(),
                staff_id=actor.staff_id,
            )
            message = await store.select_message(
                uow.conn, source=source, external_id=client_message_id
            )
            if message.body != body:
                raise Conflict("idempotency.mismatch", "This id was used with another text.")
            if created and actor.staff_id is not None:
                uow.publish(
                    AdvisorReplied(
                        conversation_id=held.id, message_id=message.id, staff_id=actor.staff_id
                    )
                )
                uow.audit(_staff_act(actor, "conversation.reply", held, arguments={"text": body}))
        return AcceptedMessage(message, created)


def _staff_act(
    actor: Actor,
    action: str,
    conversation: Conversation,
    *,
    arguments: dict[str, object] | None = None,
) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=action,
        effect="WRITE",
        outcome="ok",
        decision="allowed",
        about=conversation.subject_id,
        arguments=arguments,
        chain_id=conversation.id,
        conversation_id=conversation.id,
    )
