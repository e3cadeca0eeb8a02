"""All the SQL of turns: requests, leases, runs and steps."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.errors import NotFound
from crm.ids import RunId, new_id
from crm.messaging.turns.models import Lease, Run, RunStatus, TurnOutcome

# --- requests -----------------------------------------------------------------------------------


async def request_turn(
    conn: Connection, conversation_id: UUID, *, settle: timedelta, settle_max: timedelta
) -> None:
    """Ask for a turn after a pause of `settle`, at the latest `settle_max` after the first ask."""
    await conn.execute(
        """
        INSERT INTO turn_requests AS r (conversation_id, requested_at, not_before)
        VALUES (%(id)s, clock_timestamp(), clock_timestamp() + %(settle)s)
        ON CONFLICT (conversation_id) DO UPDATE SET
            not_before = least(r.requested_at + %(max)s, clock_timestamp() + %(settle)s)
        """,
        {"id": conversation_id, "settle": settle, "max": settle_max},
    )


async def delete_request(conn: Connection, conversation_id: UUID) -> None:
    """Withdraw the request."""
    await conn.execute("DELETE FROM turn_requests WHERE conversation_id = %s", [conversation_id])


async def lock_request(conn: Connection, conversation_id: UUID) -> bool:
    """Keep others from asking until this transaction ends; False when nobody has asked."""
    cursor = await conn.execute(
        "SELECT 1 FROM turn_requests WHERE conversation_id = %s FOR UPDATE", [conversation_id]
    )
    return await cursor.fetchone() is not None


async def select_wait(conn: Connection, conversation_id: UUID) -> float | None:
    """Return the seconds until a requested turn is due; None when none is requested."""
    cursor = await conn.execute(
        "SELECT extract(epoch FROM not_before - clock_timestamp())::float8 AS wait "
        "FROM turn_requests WHERE conversation_id = %s",
        [conversation_id],
    )
    row = await cursor.fetchone()
    return None if row is None else max(0.0, row["wait"])


async def select_due(conn: Connection, *, limit: int) -> list[UUID]:
    """Return conversations whose turn is due and that nobody holds."""
    cursor = await conn.execute(
        """
        SELECT r.conversation_id FROM turn_requests r
        LEFT JOIN conversation_leases l
            ON l.conversation_id = r.conversation_id AND l.expires_at > clock_timestamp()
        WHERE r.not_before <= clock_timestamp() AND l.conversation_id IS NULL
        ORDER BY r.not_before LIMIT %s
        """,
        [limit],
    )
    return [r["conversation_id"] for r in await cursor.fetchall()]


# --- leases -------------------------------------------------------------------------------------


async def take_lease(
    conn: Connection, conversation_id: UUID, *, owner: str, life: timedelta
) -> int | None:
    """Take a free or expired lease; return its epoch, or None when somebody holds it."""
    cursor = await conn.execute(
        """
        INSERT INTO conversation_leases AS l (conversation_id, epoch, owner, expires_at)
        VALUES (%(id)s, 1, %(owner)s, clock_timestamp() + %(life)s)
        ON CONFLICT (conversation_id) DO UPDATE
            SET epoch = l.epoch + 1, owner = excluded.owner, expires_at = excluded.expires_at
            WHERE l.expires_at <= clock_timestamp()
        RETURNING epoch
        """,
        {"id": conversation_id, "owner": owner, "life": life},
    )
    row = await cursor.fetchone()
    return row["epoch"] if row else None


async def renew_lease(conn: Connection, lease: Lease, *, life: timedelta) -> bool:
    """Extend a lease; False when it was lost."""
    cursor = await conn.execute(
        "UPDATE conversation_leases SET expires_at = clock_timestamp() + %s "
        "WHERE conversation_id = %s AND epoch = %s AND owner = %s",
        [life, lease.conversation_id, lease.epoch, lease.owner],
    )
    return cursor.rowcount == 1


async def drop_lease(conn: Connection, lease: Lease) -> None:
    """Give a lease back."""
    await conn.execute(
        "UPDATE conversation_leases SET expires_at = '-infinity' "
        "WHERE conversation_id = %s AND epoch = %s AND owner = %s",
        [lease.conversation_id, lease.epoch, lease.owner],
    )


async def lock_lease(conn: Connection, lease: Lease) -> bool:
    """Keep the lease from being taken until this transaction ends; False when it was lost."""
    cursor = await conn.execute(
        "SELECT 1 FROM conversation_leases "
        "WHERE conversation_id = %s AND epoch = %s AND owner = %s FOR SHARE",
        [lease.conversation_id, lease.epoch, lease.owner],
    )
    return await cursor.fetchone() is not None


# --- runs ---------------------------------------------------------------------------------------


async def select_unanswered(conn: Connection, conversation_id: UUID) -> list[UUID]:
    """Return the student's messages that no run has answered, oldest first."""
    cursor = await conn.execute(
        "SELECT id FROM messages WHERE conversation_id = %s AND role = 'student' "
        "AND answered_by IS NULL ORDER BY ordinal LIMIT 50",
        [conversation_id],
    )
    return [r["id"] for r in await cursor.fetchall()]


async def select_crashed_run(conn: Connection, conversation_id: UUID) -> DictRow | None:
    """Return the run that a lost holder left behind, with the messages it was answering."""
    cursor = await conn.execute(
        """
        SELECT r.id, r.ordinal, r.attempts,
               ARRAY(SELECT message_id FROM run_messages WHERE run_id = r.id) AS message_ids,
               EXISTS (SELECT 1 FROM run_steps WHERE run_id = r.id) AS has_steps
        FROM runs r WHERE r.conversation_id = %s AND r.status = 'running'
        ORDER BY r.ordinal DESC LIMIT 1
        """,
        [conversation_id],
    )
    return await cursor.fetchone()


async def select_linked(conn: Connection, run_id: UUID) -> list[UUID]:
    """Return the messages that a run was given and that nobody has answered, oldest first."""
    cursor = await conn.execute(
        "SELECT m.id FROM run_messages l JOIN messages m ON m.id = l.message_id "
        "WHERE l.run_id = %s AND m.answered_by IS NULL ORDER BY m.ordinal",
        [run_id],
    )
    return [r["id"] for r in await cursor.fetchall()]


async def abort_runs(conn: Connection, conversation_id: UUID, *, at: datetime) -> list[RunId]:
    """Close the runs that lost holders left open; return them."""
    cursor = await conn.execute(
        "UPDATE runs SET status = 'aborted', finished_at = %s "
        "WHERE conversation_id = %s AND status = 'running' RETURNING id",
        [at, conversation_id],
    )
    return [RunId(r["id"]) for r in await cursor.fetchall()]


async def select_ended_threads(conn: Connection, *, limit: int) -> list[UUID]:
    """Return runs that ended and still have checkpoints."""
    cursor = await conn.execute(
        """
        SELECT DISTINCT c.thread_id::uuid AS id FROM checkpoints c
        WHERE NOT EXISTS (
            SELECT 1 FROM runs r
            WHERE r.id = c.thread_id::uuid AND r.status IN ('running', 'waiting')
        ) LIMIT %s
        """,
        [limit],
    )
    return [r["id"] for r in await cursor.fetchall()]


async def insert_run(conn: Connection, lease: Lease, *, at: datetime) -> tuple[RunId, int]:
    """Open a run; return its id and ordinal."""
    run_id = RunId(new_id())
    cursor = await conn.execute(
        "INSERT INTO runs (id, conversation_id, epoch, status, started_at) "
        "VALUES (%s, %s, %s, 'running', %s) RETURNING ordinal",
        [run_id, lease.conversation_id, lease.epoch, at],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("run.unknown", "The run could not be opened.")
    return run_id, row["ordinal"]


async def reopen_run(conn: Connection, lease: Lease, run_id: UUID) -> tuple[int, int]:
    """Let this lease carry on a run; return its ordinal and the number of this attempt.

    Raises: NotFound("run.unknown").
    """
    cursor = await conn.execute(
        "UPDATE runs SET status = 'running', epoch = %s, "
        "attempts = attempts + (status = 'running')::int "
        "WHERE id = %s RETURNING ordinal, attempts",
        [lease.epoch, run_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("run.unknown", "There is no such run.")
    return row["ordinal"], row["attempts"]


async def link_messages(conn: Connection, run_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Note which messages a run answers."""
    await conn.execute(
        "INSERT INTO run_messages (run_id, message_id) SELECT %s, unnest(%s::uuid[]) "
        "ON CONFLICT DO NOTHING",
        [run_id, list(message_ids)],
    )


async def mark_answered(conn: Connection, run_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Note that these messages have their answer."""
    await conn.execute(
        "UPDATE messages SET answered_by = %s WHERE id = ANY(%s)", [run_id, list(message_ids)]
    )


async def close_run(conn: Connection, run_id: UUID, outcome: TurnOutcome, *, at: datetime) -> None:
    """Store how a run ended and what it cost; a resumed run adds to its first part."""
    await conn.execute(
        """
        UPDATE runs SET status = %(status)s, agent = %(agent)s, provider = %(provider)s,
            model = %(model)s, prompt_version = %(prompt_version)s, steps = %(steps)s,
            tool_calls = tool_calls + %(tool_calls)s, tokens_in = tokens_in + %(tokens_in)s,
            tokens_out = tokens_out + %(tokens_out)s, cost_micros = cost_micros + %(cost)s,
            latency_ms = coalesce(latency_ms, 0) + %(latency)s, error_code = %(error)s,
            finished_at = CASE WHEN %(status)s <> 'waiting' THEN %(at)s::timestamptz END
        WHERE id = %(id)s
        """,
        {
            "id": run_id,
            "status": str(outcome.status),
            "agent": outcome.agent,
            "provider": outcome.provider,
            "model": outcome.model,
            "prompt_version": outcome.prompt_version,
            "steps": outcome.steps,
            "tool_calls": outcome.tool_calls,
            "tokens_in": outcome.tokens_in,
            "tokens_out": outcome.tokens_out,
            "cost": outcome.cost_micros,
            "latency": outcome.latency_ms,
            "error": outcome.error_code,
            "at": at,
        },
    )


async def end_waiting_runs(conn: Connection, run_ids: Sequence[UUID], *, at: datetime) -> None:
    """Close runs whose confirmation expired."""
    await conn.execute(
        "UPDATE runs SET status = 'completed', finished_at = %s "
        "WHERE id = ANY(%s) AND status = 'waiting'",
        [at, list(run_ids)],
    )


async def insert_step(
    conn: Connection, run_id: UUID, step: int, output: Mapping[str, object], *, at: datetime
) -> None:
    """Keep a model's output before the effect it asked for; the first one kept wins."""
    await conn.execute(
        "INSERT INTO run_steps (run_id, step, output, created_at) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (run_id, step) DO NOTHING",
        [run_id, step, Jsonb(dict(output)), at],
    )


async def select_steps(conn: Connection, run_id: UUID) -> dict[int, dict[str, object]]:
    """Return the kept outputs by step."""
    cursor = await conn.execute(
        "SELECT step, output FROM run_steps WHERE run_id = %s ORDER BY step", [run_id]
    )
    return {r["step"]: r["output"] for r in await cursor.fetchall()}


_RUN = (
    "id, conversation_id, status, agent, provider, model, prompt_version, attempts, steps, "
    "tool_calls, tokens_in, tokens_out, cost_micros, latency_ms, error_code, started_at, "
    "finished_at"
)


async def select_runs(
    conn: Connection,
    *,
    status: str | None,
    conversation_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Run]:
    """Return runs, newest first."""
    clauses = ["TRUE"]
    values: dict[str, object] = {"limit": limit}
    if status is not None:
        clauses.append("status = %(status)s")
        values["status"] = status
    if conversation_id is not None:
        clauses.append("conversation_id = %(conversation_id)s")
        values["conversation_id"] = conversation_id
    if after is not None:
        clauses.append("(started_at, id) < (%(at)s::timestamptz, %(id)s::uuid)")
        values |= {"at": after[0], "id": after[1]}
    cursor = await conn.execute(
        f"SELECT {_RUN} FROM runs WHERE {' AND '.join(clauses)} "  # noqa: S608
        "ORDER BY started_at DESC, id DESC LIMIT %(limit)s",
        values,
    )
    return [_run(r) for r in await cursor.fetchall()]


async def select_run(conn: Connection, run_id: UUID) -> Run:
    """Return a run.

    Raises: NotFound("run.unknown").
    """
    cursor = await conn.execute(f"SELECT {_RUN} FROM runs WHERE id = %s", [run_id])  # noqa: S608
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("run.unknown", "There is no such run.")
    return _run(row)


def _run(row: DictRow) -> Run:
    return Run(**row | {"status": RunStatus(row["status"])})
