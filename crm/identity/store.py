"""All the SQL of staff accounts, their sessions, and verification codes."""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow, class_row

from crm.actor import Role
from crm.db import Connection
from crm.errors import Conflict
from crm.identity.codes import Asker, PendingCode
from crm.identity.models import Account, StaffMember, Tries
from crm.ids import ConversationId, PersonId, StaffId

_STAFF = "id, email, name, role, languages, areas, active, created_at"


def _staff(row: DictRow) -> StaffMember:
    return StaffMember(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        languages=tuple(row["languages"]),
        areas=tuple(row["areas"]),
        active=row["active"],
        created_at=row["created_at"],
    )


async def insert_staff(
    conn: Connection, staff: StaffMember, *, password_hash: str, totp_sealed: str | None
) -> None:
    """Add an account.

    Raises: Conflict("staff.email_taken").
    """
    try:
        await conn.execute(
            """
            INSERT INTO staff (id, email, name, role, password_hash, languages, areas, totp_secret,
                active, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                staff.id,
                staff.email,
                staff.name,
                str(staff.role),
                password_hash,
                list(staff.languages),
                list(staff.areas),
                totp_sealed,
                staff.active,
                staff.created_at,
            ],
        )
    except UniqueViolation as taken:
        raise Conflict("staff.email_taken", "Somebody else has this e-mail address.") from taken


async def lock_account(conn: Connection, email: str) -> Account | None:
    """Return and lock the active account with this address."""
    rows = await conn.execute(
        f"SELECT {_STAFF}, password_hash, totp_secret, failed_attempts, locked_until "  # noqa: S608
        "FROM staff WHERE lower(email) = %s AND active FOR NO KEY UPDATE",
        [email],
    )
    row = await rows.fetchone()
    if row is None:
        return None
    return Account(
        staff=_staff(row),
        password_hash=row["password_hash"],
        totp_sealed=row["totp_secret"],
        tries=Tries(row["failed_attempts"], row["locked_until"]),
    )


async def select_last_login(conn: Connection, staff_id: StaffId) -> datetime | None:
    """Return when somebody last logged in; to be asked after a lock was had, not with it."""
    rows = await conn.execute(
        "SELECT max(created_at) AS at FROM staff_sessions WHERE staff_id = %s", [staff_id]
    )
    row = await rows.fetchone()
    return row["at"] if row else None


async def update_tries(conn: Connection, staff_id: StaffId, tries: Tries) -> None:
    """Keep the count of failed logins."""
    await conn.execute(
        "UPDATE staff SET failed_attempts = %s, locked_until = %s WHERE id = %s",
        [tries.failures, tries.locked_until, staff_id],
    )


async def update_password_hash(conn: Connection, staff_id: StaffId, password_hash: str) -> None:
    """Replace the hash of a password."""
    await conn.execute(
        "UPDATE staff SET password_hash = %s WHERE id = %s", [password_hash, staff_id]
    )


async def insert_session(
    conn: Connection, token_hash: bytes, staff_id: StaffId, *, at: datetime, life: timedelta
) -> None:
    """Open a session."""
    await conn.execute(
        "INSERT INTO staff_sessions (token_hash, staff_id, created_at, expires_at) "
        "VALUES (%s, %s, %s, %s)",
        [token_hash, staff_id, at, at + life],
    )


async def select_by_session(
    conn: Connection, token_hash: bytes, *, at: datetime
) -> StaffMember | None:
    """Return whose live session this is."""
    rows = await conn.execute(
        f"SELECT {_STAFF} FROM staff WHERE active AND id = ("  # noqa: S608
        "SELECT staff_id FROM staff_sessions "
        "WHERE token_hash = %s AND revoked_at IS NULL AND expires_at > %s)",
        [token_hash, at],
    )
    row = await rows.fetchone()
    return _staff(row) if row else None


async def revoke_session(conn: Connection, token_hash: bytes, *, at: datetime) -> None:
    """End a session."""
    await conn.execute(
        "UPDATE staff_sessions SET revoked_at = %s WHERE token_hash = %s AND revoked_at IS NULL",
        [at, token_hash],
    )


async def delete_sessions(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget sessions that expired before a moment; returns how many."""
    cursor = await conn.execute(
        """
        DELETE FROM staff_sessions WHERE token_hash IN (
            SELECT token_hash FROM staff_sessions WHERE expires_at < %s
            ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [before, limit],
    )
    return cursor.rowcount


async def select_staff(conn: Connection, staff_id: StaffId) -> StaffMember | None:
    """Return a member of staff."""
    rows = await conn.execute(f"SELECT {_STAFF} FROM staff WHERE id = %s", [staff_id])  # noqa: S608
    row = await rows.fetchone()
    return _staff(row) if row else None


async def select_all_staff(
    conn: Connection, *, after: tuple[str, UUID] | None, limit: int
) -> list[StaffMember]:
    """Return staff by name, after (name, id)."""
    name, last = after or (None, None)
    rows = await conn.execute(
        f"SELECT {_STAFF} FROM staff "  # noqa: S608
        + ("WHERE (name, id) > (%(name)s, %(last)s) " if after else "")
        + "ORDER BY name, id LIMIT %(limit)s",
        {"name": name, "last": last, "limit": limit},
    )
    return [_staff(row) for row in await rows.fetchall()]


# --- verification -------------------------------------------------------------------------------


async def lock_asker(conn: Connection, conversation_id: ConversationId) -> Asker | None:
    """Return a conversation's identity and let nobody else ask or confirm in it meanwhile."""
    async with conn.cursor(row_factory=class_row(Asker)) as cursor:
        await cursor.execute(
            "SELECT id AS conversation_id, subject_id, person_id, level FROM conversations "
            "WHERE id = %s FOR NO KEY UPDATE",
            [conversation_id],
        )
        return await cursor.fetchone()


async def lock_address(conn: Connection, address: str) -> None:
    """Let requests for one address pass one by one, whether or not somebody has it."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [address])


async def select_requests(
    conn: Connection, conversation_id: ConversationId, *, since: datetime
) -> list[datetime]:
    """Return when codes were asked for in a conversation."""
    rows = await conn.execute(
        "SELECT created_at FROM verification_codes WHERE conversation_id = %s AND created_at > %s",
        [conversation_id, since],
    )
    return [row["created_at"] for row in await rows.fetchall()]


async def count_sent(conn: Connection, person_id: PersonId | None, *, since: datetime) -> int:
    """Return how many codes a person was sent; 0 for nobody."""
    rows = await conn.execute(
        "SELECT count(*) AS n FROM verification_codes WHERE person_id = %s AND created_at > %s",
        [person_id, since],
    )
    row = await rows.fetchone()
    return int(row["n"]) if row else 0


async def close_codes(
    conn: Connection, conversation_id: ConversationId, *, at: datetime
) -> list[UUID]:
    """Close a conversation's open codes and return them."""
    rows = await conn.execute(
        "UPDATE verification_codes SET closed_at = %s "
        "WHERE conversation_id = %s AND closed_at IS NULL RETURNING id",
        [at, conversation_id],
    )
    return [row["id"] for row in await rows.fetchall()]


async def insert_code(
    conn: Connection,
    code: PendingCode,
    *,
    conversation_id: ConversationId,
    channel: str,
    at: datetime,
) -> None:
    """Keep a code's hash."""
    await conn.execute(
        """
        INSERT INTO verification_codes (id, conversation_id, person_id, channel, code_hash, tries,
            created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            code.id,
            conversation_id,
            code.person_id,
            channel,
            code.code_hash,
            code.tries,
            at,
            code.expires_at,
        ],
    )


async def select_open_code(conn: Connection, conversation_id: ConversationId) -> PendingCode | None:
    """Return a conversation's open code."""
    async with conn.cursor(row_factory=class_row(PendingCode)) as cursor:
        await cursor.execute(
            "SELECT id, person_id, code_hash, tries, expires_at FROM verification_codes "
            "WHERE conversation_id = %s AND closed_at IS NULL "
            "ORDER BY created_at DESC, id DESC LIMIT 1",
            [conversation_id],
        )
        return await cursor.fetchone()


async def count_try(conn: Connection, code_id: UUID, *, closed_at: datetime | None) -> None:
    """Count a try, and close the code when it was the last."""
    await conn.execute(
        "UPDATE verification_codes SET tries = tries + 1, closed_at = %s WHERE id = %s",
        [closed_at, code_id],
    )


async def delete_codes(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget codes that were asked for before a moment; returns how many."""
    cursor = await conn.execute(
        """
        DELETE FROM verification_codes WHERE id IN (
            SELECT id FROM verification_codes WHERE created_at < %s
            ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [before, limit],
    )
    return cursor.rowcount
