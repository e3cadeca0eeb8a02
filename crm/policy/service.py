"""Use cases of the policy: read it as it stands or stood, and change it."""

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import Conflict, NotFound
from crm.facts import facts_of
from crm.identity.permissions import Area, require
from crm.journal.audit import performed
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.policy import store
from crm.policy.models import SHIPPED, PolicyVersion, check_text, difference


class PolicyService:
    """Keeps the text that agents are held to.

    Args:
        shipped: the text that comes with the product; it holds until somebody writes another.
    """

    def __init__(self, database: Database, *, shipped: str) -> None:
        self._db = database
        self._shipped = PolicyVersion(
            version=SHIPPED, text=shipped.strip(), note="", staff_id=None, created_at=None
        )

    async def text(self) -> str:
        """Return the text that holds now: what every turn of an agent goes by."""
        async with self._db.read() as conn:
            return (await store.select_version(conn) or self._shipped).text

    async def get(self, version: int | None = None, *, actor: Actor) -> PolicyVersion:
        """Return the policy as it stands, or as it stood.

        Raises: NotFound("policy.unknown"); Denied("auth.role").
        """
        require(actor, Area.POLICY)
        if version == SHIPPED:
            return self._shipped
        async with self._db.read() as conn:
            found = await store.select_version(conn, version)
        if found is None and version is not None:
            raise NotFound("policy.unknown", "There is no such version of the policy.")
        return found or self._shipped

    async def list_versions(
        self, *, cursor: str | None, limit: int, actor: Actor
    ) -> Page[PolicyVersion]:
        """Return the versions that were written, the latest first.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.POLICY)
        after = decode_cursor(cursor, int)
        async with self._db.read() as conn:
            rows = await store.select_versions(
                conn, before=after[0] if after else None, limit=limit + 1
            )
        return page_of(rows, limit, lambda one: encode_cursor(one.version))

    async def compare(self, before: int, after: int, *, actor: Actor) -> tuple[str, ...]:
        """Return what two versions differ in, as a unified diff.

        Raises: NotFound("policy.unknown"); Denied("auth.role").
        """
        return difference(await self.get(before, actor=actor), await self.get(after, actor=actor))

    async def write(
        self,
        text: str,
        *,
        note: str,
        expected_version: int,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> PolicyVersion:
        """Replace the policy; turns that begin from now on follow it.

        Raises:
            Conflict("policy.stale"): somebody else has changed it meanwhile.
            RuleBroken("policy.text"); Denied("auth.role").
        """
        require(actor, Area.POLICY, write=True)
        said = {"text": check_text(text), "note": note, "expected_version": expected_version}

        async def work(uow: UnitOfWork) -> PolicyVersion:
            latest = await store.select_version(uow.conn) or self._shipped
            policy = PolicyVersion(
                version=expected_version + 1,
                text=check_text(text),
                note=note,
                staff_id=actor.staff_id,
                created_at=uow.clock.now(),
            )
            stale = latest.version != expected_version
            if stale or not await store.insert_version(uow.conn, policy):
                raise Conflict("policy.stale", "Somebody else has changed the policy meanwhile.")
            uow.audit(performed(actor, "policy.write", payload=facts_of(policy)))
            return policy

        return await run_once(self._db, idempotency, said, work, kind=PolicyVersion)
