"""All the SQL of conversations, sessions and the message log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.actor import IdentityLevel
from crm.db import Connection
from crm.errors import NotFound
from crm.ids import new_id
from crm.messaging.conversations.models import (
    ChatSession,
    Conversation,
    ConversationStatus,
    ConversationSummary,
    Message,
)

# --- conversations ------------------------------------------------------------------------------

_CONVERSATION = (
    "id, channel, subject_id, person_id, locale, level, status, staff_id, handoff_reason, "
    "summary, memory, created_at, last_message_at"
)


async def insert_conversation(conn: Connection, conversation: Conversation) -> None:
    """Store a new conversation."""
    await conn.execute(
        """
        INSERT INTO conversations (id, channel, subject_id, person_id, locale, level, status,
            created_at, last_message_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            conversation.id,
            conversation.channel,
            conversation.subject_id,
            conversation.person_id,
            conversation.locale,
            int(conversation.level),
            conversation.status,
            conversation.created_at,
            conversation.last_message_at,
        ],
    )


async def select_conversation(
    conn: Connection, conversation_id: UUID, *, lock: bool = False
) -> Conversation:
    """Return a conversation.

    Raises: NotFound("conversation.unknown").
    """
    suffix = " FOR UPDATE" if lock else ""
    cursor = await conn.execute(
        f"SELECT {_CONVERSATION} FROM conversations WHERE id = %s{suffix}",  # noqa: S608
        [conversation_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("conversation.unknown", "There is no such conversation.")
    return _conversation(row)


def _conversation(row: DictRow) -> Conversation:
    return Conversation(
        **row | {"level": IdentityLevel(row["level"]), "status": ConversationStatus(row["status"])}
    )


async def update_status(
    conn: Connection,
    conversation_id: UUID,
    *,
    status: ConversationStatus,
    staff_id: UUID | None,
    reason: str | None,
) -> None:
    """Say who answers from now on."""
    await conn.execute(
        "UPDATE conversations SET status = %s, staff_id = %s, handoff_reason = %s WHERE id = %s",
        [status, staff_id, reason, conversation_id],
    )


async def update_person(
    conn: Connection, conversation_id: UUID, *, person_id: UUID, level: IdentityLevel
) -> None:
    """Note who the student proved to be."""
    await conn.execute(
        "UPDATE conversations SET person_id = %s, level = %s WHERE id = %s",
        [person_id, int(level), conversation_id],
    )


async def update_memory(
    conn: Connection, conversation_id: UUID, *, locale: str, memory: Mapping[str, object]
) -> None:
    """Keep what the next turn shall know."""
    await conn.execute(
        "UPDATE conversations SET locale = %s, memory = %s WHERE id = %s",
        [locale, Jsonb(dict(memory)), conversation_id],
    )


async def select_summaries(
    conn: Connection, *, status: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[ConversationSummary]:
    """Return conversations with their last message, the most recently active first."""
    clauses = ["TRUE"]
    values: dict[str, object] = {"limit": limit}
    if status is not None:
        clauses.append("c.status = %(status)s")
        values["status"] = status
    if after is not None:
        clauses.append("(c.last_message_at, c.id) < (%(at)s::timestamptz, %(id)s::uuid)")
        values |= {"at": after[0], "id": after[1]}
    cursor = await conn.execute(
        f"""
        SELECT c.id, c.status, c.channel, c.locale, c.person_id, p.full_name AS person_name,
               m.body AS last_message, c.last_message_at, c.handoff_reason, s.name AS assigned_to
        FROM conversations c
        LEFT JOIN people p ON p.id = c.person_id
        LEFT JOIN staff s ON s.id = c.staff_id
        LEFT JOIN LATERAL (
            SELECT left(body, 200) AS body FROM messages
            WHERE conversation_id = c.id ORDER BY ordinal DESC LIMIT 1
        ) m ON TRUE
        WHERE {" AND ".join(clauses)}
        ORDER BY c.last_message_at DESC, c.id DESC LIMIT %(limit)s
        """,  # noqa: S608 (clauses are constants)
        values,
    )
    return [
        ConversationSummary(**row | {"status": ConversationStatus(row["status"])})
        for row in await cursor.fetchall()
    ]


# --- sessions -----------------------------------------------------------------------------------


async def insert_session(
    conn: Connection, session: ChatSession, *, token_hash: bytes, at: datetime
) -> None:
    """Store a session under the hash of its token."""
    await conn.execute(
        """
        INSERT INTO chat_sessions (token_hash, conversation_id, subject_id, person_id, level,
            created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            token_hash,
            session.conversation_id,
            session.subject_id,
            session.person_id,
            int(session.level),
            at,
            session.expires_at,
        ],
    )


async def select_session(
    conn: Connection, *, token_hash: bytes
) -> tuple[ChatSession, datetime | None] | None:
    """Return a session and when it was revoked."""
    cursor = await conn.execute(
        "SELECT conversation_id, subject_id, person_id, level, expires_at, revoked_at "
        "FROM chat_sessions WHERE token_hash = %s",
        [token_hash],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    revoked_at = row.pop("revoked_at")
    return ChatSession(**row | {"level": IdentityLevel(row["level"])}), revoked_at


async def revoke_sessions(conn: Connection, *, conversation_id: UUID, at: datetime) -> None:
    """End every session of a conversation."""
    await conn.execute(
        "UPDATE chat_sessions SET revoked_at = %s "
        "WHERE conversation_id = %s AND revoked_at IS NULL",
        [at, conversation_id],
    )


async def delete_sessions(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget sessions that expired before a moment; returns how many."""
    cursor = await conn.execute(
        """
        DELETE FROM chat_sessions WHERE token_hash IN (
            SELECT token_hash FROM chat_sessions WHERE expires_at < %s
            ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [before, limit],
    )
    return cursor.rowcount


# --- the message log ----------------------------------------------------------------------------

_MESSAGE = (
    "m.id, m.conversation_id, m.ordinal, m.role, m.body, m.external_id, m.citations, m.actions, "
    "m.run_id, s.name AS author, m.created_at"
)


async def insert_message(
    conn: Connection,
    *,
    conversation_id: UUID,
    role: str,
    source: str,
    external_id: str,
    body: str,
    at: datetime,
    citations: Sequence[Mapping[str, str]] = (),
    actions: Sequence[Mapping[str, object]] = (),
    run_id: UUID | None = None,
    staff_id: UUID | None = None,
) -> bool:
    """Append a message; False when its sender's id is already in the log."""
    cursor = await conn.execute(
        """
        WITH added AS (
            INSERT INTO messages (id, conversation_id, role, source, external_id, body, citations,
                actions, run_id, staff_id, created_at)
            VALUES (%(id)s, %(conversation)s, %(role)s, %(source)s, %(external_id)s, %(body)s,
                %(citations)s, %(actions)s, %(run_id)s, %(staff_id)s, %(at)s)
            ON CONFLICT (source, external_id) DO NOTHING RETURNING conversation_id
        ), touched AS (
            UPDATE conversations SET last_message_at = greatest(last_message_at, %(at)s)
            FROM added WHERE id = added.conversation_id
        )
        SELECT EXISTS (SELECT FROM added) AS created
        """,
        {
            "id": new_id(),
            "conversation": conversation_id,
            "role": role,
            "source": source,
            "external_id": external_id,
            "body": body,
            "citations": Jsonb(list(citations)),
            "actions": Jsonb(list(actions)),
            "run_id": run_id,
            "staff_id": staff_id,
            "at": at,
        },
    )
    row = await cursor.fetchone()
    return row is not None and bool(row["created"])


async def select_last_written(conn: Connection, person_id: UUID) -> datetime | None:
    """Return when a person last wrote, in any of their conversations."""
    cursor = await conn.execute(
        """
        SELECT max(m.created_at) AS at FROM conversations c
        CROSS JOIN LATERAL (
            SELECT created_at FROM messages WHERE conversation_id = c.id AND role = 'student'
            ORDER BY ordinal DESC LIMIT 1
        ) m
        WHERE c.person_id = %s
        """,
        [person_id],
    )
    row = await cursor.fetchone()
    return row["at"] if row else None


async def draw_ordinal(conn: Connection) -> int:
    """Return the next place in the order that messages and runs share."""
    cursor = await conn.execute("SELECT nextval('message_ordinals') AS ordinal")
    row = await cursor.fetchone()
    return int(row["ordinal"]) if row else 0


async def mark_answered_by_staff(conn: Connection, conversation_id: UUID, staff_id: UUID) -> None:
    """Note that what was written while a person answered is not for the agents."""
    await conn.execute(
        "UPDATE messages SET answered_by = %s "
        "WHERE conversation_id = %s AND role = 'student' AND answered_by IS NULL",
        [staff_id, conversation_id],
    )


async def select_message(conn: Connection, *, source: str, external_id: str) -> Message:
    """Return a message by its sender's id.

    Raises: NotFound("message.unknown").
    """
    cursor = await conn.execute(
        f"SELECT {_MESSAGE} FROM messages m LEFT JOIN staff s ON s.id = m.staff_id "  # noqa: S608
        "WHERE m.source = %s AND m.external_id = %s",
        [source, external_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("message.unknown", "There is no such message.")
    return _message(row)


async def select_message_by_id(conn: Connection, message_id: UUID) -> Message:
    """Return a message.

    Raises: NotFound("message.unknown").
    """
    cursor = await conn.execute(
        f"SELECT {_MESSAGE} FROM messages m LEFT JOIN staff s ON s.id = m.staff_id "  # noqa: S608
        "WHERE m.id = %s",
        [message_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("message.unknown", "There is no such message.")
    return _message(row)


async def select_messages(
    conn: Connection, conversation_id: UUID, *, after_ordinal: int, limit: int
) -> list[Message]:
    """Return messages in order, those after a place in the log."""
    cursor = await conn.execute(
        f"SELECT {_MESSAGE} FROM messages m LEFT JOIN staff s ON s.id = m.staff_id "  # noqa: S608
        "WHERE m.conversation_id = %s AND m.ordinal > %s ORDER BY m.ordinal LIMIT %s",
        [conversation_id, after_ordinal, limit],
    )
    return [_message(r) for r in await cursor.fetchall()]


async def select_last_messages(
    conn: Connection, conversation_id: UUID, *, limit: int
) -> list[Message]:
    """Return the end of the log, oldest first."""
    cursor = await conn.execute(
        f"SELECT {_MESSAGE} FROM messages m LEFT JOIN staff s ON s.id = m.staff_id "  # noqa: S608
        "WHERE m.conversation_id = %s ORDER BY m.ordinal DESC LIMIT %s",
        [conversation_id, limit],
    )
    return [_message(r) for r in await cursor.fetchall()][::-1]


async def select_window(
    conn: Connection, conversation_id: UUID, *, answering: Sequence[UUID], limit: int
) -> list[Message]:
    """Return the end of the log, oldest first, and after it the messages to answer.

    Messages that wait for a later turn are left out: what a turn does not answer it does not see.
    """
    cursor = await conn.execute(
        f"""
        SELECT * FROM (
            (SELECT {_MESSAGE}, FALSE AS asked
             FROM messages m LEFT JOIN staff s ON s.id = m.staff_id
             WHERE m.conversation_id = %(id)s
               AND NOT (m.role = 'student' AND m.answered_by IS NULL)
             ORDER BY m.ordinal DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT {_MESSAGE}, TRUE FROM messages m LEFT JOIN staff s ON s.id = m.staff_id
             WHERE m.id = ANY(%(answering)s) AND m.answered_by IS NULL)
        ) window_of_the_log ORDER BY asked, ordinal
        """,  # noqa: S608
        {"id": conversation_id, "answering": list(answering), "limit": limit},
    )
    rows = await cursor.fetchall()
    return [_message({k: v for k, v in row.items() if k != "asked"}) for row in rows]


def _message(row: DictRow) -> Message:
    values: dict[str, Any] = dict(row)
    values["citations"] = tuple(values["citations"])
    values["actions"] = tuple(values["actions"])
    return Message(**values)
