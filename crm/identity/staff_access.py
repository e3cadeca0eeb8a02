"""Use cases of staff: accounts, logins, sessions."""

import base64
import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, Throttled, Unauthenticated, Unavailable
from crm.identity import models, store
from crm.identity.events import StaffCreated, StaffLoggedIn, StaffLoggedOut
from crm.identity.models import Account, CreateStaff, StaffLogin, StaffMember, Tries, staff_actor
from crm.identity.passwords import Passwords
from crm.identity.permissions import Area, require
from crm.identity.strangers import Strangers
from crm.identity.totp import accepts, check_secret
from crm.ids import StaffId, new_id
from crm.journal.audit import AuditEntry, performed
from crm.journal.vault import SubjectKey
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.addresses import normalise_email, normalise_name

_TOKEN_BYTES = 32


class StaffAccess:
    """Who works here, and with which session.

    Args:
        staff_session: how long a login lasts.
    """

    def __init__(
        self, database: Database, *, staff_session: timedelta, passwords: Passwords | None = None
    ) -> None:
        self._db = database
        self._staff_session = staff_session
        self._passwords = passwords or Passwords()
        self._strangers = Strangers()

    async def create_staff(self, command: CreateStaff, *, actor: Actor) -> StaffMember:
        """Open an account.

        Raises:
            Denied("auth.role"): only admins and services may.
            Conflict("staff.email_taken").
            RuleBroken: `person.email`, `person.name`, `staff.password`, `staff.totp`.
        """
        require(actor, Area.STAFF, write=True)
        email = normalise_email(command.email)
        models.check_password(command.password, email)
        secret = check_secret(command.totp_secret) if command.totp_secret else None
        password_hash = await self._passwords.hash(command.password)
        async with self._db.transaction() as uow:
            staff = _new_staff(command, email, uow)
            sealed = await _seal_totp(uow, staff.id, secret) if secret else None
            await store.insert_staff(
                uow.conn, staff, password_hash=password_hash, totp_sealed=sealed
            )
            uow.publish(StaffCreated(staff_id=staff.id, role=str(staff.role)))
            facts = {"email": staff.email, "name": staff.name, "role": str(staff.role)}
            uow.audit(performed(actor, "staff.create", about=staff.id, payload=facts))
        return staff

    async def login(self, email: str, password: str, *, totp: str | None = None) -> StaffLogin:
        """Open a session.

        An unknown address takes the same time, gives the same error and is locked out the same.

        Raises:
            Unauthenticated("auth.credentials"): address, password or one-time code is wrong.
            Unauthenticated("auth.totp"): the password is right, a one-time code is needed.
            Throttled("auth.locked"): five failures; another try is welcome after 15 minutes.
        """
        address = email.strip().lower()
        account = await self._count_try(address)
        fits = await self._passwords.verify(account.password_hash if account else None, password)
        if account is None or not fits:
            await self._refuse(account, "auth.credentials")
            raise _no_entry("auth.credentials")
        return await self._enter(account, password, totp)

    async def _count_try(self, address: str) -> Account | None:
        """Count before looking at the password, so that parallel tries count, too."""
        # The count is not worth waiting for the disk, which would tell known addresses apart.
        async with self._db.transaction(durable=False) as uow:
            now = uow.clock.now()
            account = await store.lock_account(uow.conn, address)
            tries = account.tries if account else self._strangers.tries_of(address)
            wait = tries.locked_for_s(now)
            if account and not wait:
                await store.update_tries(uow.conn, account.staff.id, tries.with_try(now))
            elif not wait:
                self._strangers.keep(address, tries.with_try(now))
        if wait:
            await self._refuse(account, "auth.locked")
            raise Throttled("auth.locked", "Too many failed logins.", retry_after_s=wait)
        return account

    async def _enter(self, account: Account, password: str, totp: str | None) -> StaffLogin:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        new_hash = None
        if self._passwords.is_outdated(account.password_hash):
            new_hash = await self._passwords.hash(password)
        async with self._db.transaction() as uow:
            staff = account.staff
            # Read again under the lock: two logins at once must not use one code twice.
            current = await store.lock_account(uow.conn, staff.email.lower())
            problem = await _code_problem(uow, current, totp)
            if problem is None:
                at = uow.clock.now()
                await store.insert_session(
                    uow.conn, hash_token(token), staff.id, at=at, life=self._staff_session
                )
                await store.update_tries(uow.conn, staff.id, Tries())
                if new_hash is not None:
                    await store.update_password_hash(uow.conn, staff.id, new_hash)
                uow.publish(StaffLoggedIn(staff_id=staff.id))
                uow.audit(_session_record("staff.login", staff_actor(staff)))
        if problem is not None:
            await self._refuse(account, problem)
            raise _no_entry(problem)
        return StaffLogin(token, staff, at + self._staff_session)

    async def _refuse(self, account: Account | None, code: str) -> None:
        """Record a login that failed, in a transaction of its own."""
        actor = staff_actor(account.staff) if account else SERVICE_ACTOR
        async with self._db.transaction() as uow:
            nobody_yet = replace(actor, level=IdentityLevel.VISITOR)
            uow.audit(_session_record("staff.login", nobody_yet, error=code))

    async def logout(self, token: str) -> None:
        """End a session.

        Raises: Unauthenticated("auth.token").
        """
        async with self._db.transaction() as uow:
            at = uow.clock.now()
            staff = await store.select_by_session(uow.conn, hash_token(token), at=at)
            if staff is None:
                raise _no_entry("auth.token")
            await store.revoke_session(uow.conn, hash_token(token), at=at)
            uow.publish(StaffLoggedOut(staff_id=staff.id))
            uow.audit(_session_record("staff.logout", staff_actor(staff)))

    async def staff_by_token(self, token: str) -> Actor:
        """Return who a session belongs to.

        Raises: Unauthenticated("auth.token"): unknown, ended or expired.
        """
        async with self._db.read() as conn:
            staff = await store.select_by_session(conn, hash_token(token), at=self._db.clock.now())
        if staff is None:
            raise _no_entry("auth.token")
        return staff_actor(staff)

    async def forget_sessions(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete sessions that expired long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await store.delete_sessions(uow.conn, before=before, limit=limit)

    async def get_staff(self, staff_id: StaffId) -> StaffMember:
        """Return a member of staff.

        Raises: NotFound("staff.unknown").
        """
        async with self._db.read() as conn:
            staff = await store.select_staff(conn, staff_id)
        if staff is None:
            raise NotFound("staff.unknown", "There is no such member of staff.")
        return staff

    async def list_staff(
        self, *, actor: Actor, cursor: str | None = None, limit: int = 50
    ) -> Page[StaffMember]:
        """Return staff by name.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.STAFF)
        after = decode_cursor(cursor, str, UUID)
        async with self._db.read() as conn:
            rows = await store.select_all_staff(conn, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda s: encode_cursor(s.name, s.id))


def hash_token(token: str) -> bytes:
    """Return what is stored of a session's token, which is random and needs no salt."""
    return hashlib.sha256(token.encode()).digest()


def _new_staff(command: CreateStaff, email: str, uow: UnitOfWork) -> StaffMember:
    return StaffMember(
        id=StaffId(new_id()),
        email=email,
        name=normalise_name(command.name),
        role=command.role,
        languages=tuple(command.languages),
        areas=tuple(command.areas),
        active=True,
        created_at=uow.clock.now(),
    )


async def _seal_totp(uow: UnitOfWork, staff_id: StaffId, secret: str) -> str:
    return base64.b64encode((await _key(uow, staff_id)).seal(secret.encode())).decode()


async def _code_problem(uow: UnitOfWork, account: Account | None, totp: str | None) -> str | None:
    if account is None:
        return "auth.credentials"
    if account.totp_sealed is None:
        return None
    if not totp:
        return "auth.totp"
    key = await _key(uow, account.staff.id)
    secret = key.open(base64.b64decode(account.totp_sealed)).decode()
    last = await store.select_last_login(uow.conn, account.staff.id)
    right = accepts(secret, totp.strip(), now=uow.clock.now(), last_login_at=last)
    return None if right else "auth.credentials"


async def _key(uow: UnitOfWork, staff_id: StaffId) -> SubjectKey:
    key = await uow.key(staff_id)
    if key is None:
        raise Unavailable("subject.erased", "This account's records were erased.")
    return key


def _no_entry(code: str) -> Unauthenticated:
    messages = {
        "auth.credentials": "E-mail, password or one-time code is wrong.",
        "auth.totp": "A one-time code is needed.",
        "auth.token": "The session has ended. Log in again.",
    }
    return Unauthenticated(code, messages[code])


def _session_record(action: str, actor: Actor, *, error: str | None = None) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=action,
        effect="WRITE" if error is None else "NONE",
        outcome="ok" if error is None else "refused",
        decision=error or "allowed",
        error_code=error,
    )
