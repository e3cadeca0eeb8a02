"""Same key and same arguments give the same result; other arguments are an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from crm.db import UnitOfWork
from crm.errors import Conflict, Unavailable
from crm.ids import new_id
from crm.journal import store
from crm.journal.audit import canonical
from crm.journal.leavings.models import Kept
from crm.journal.vault import SubjectKey


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key and the room it is unique in.

    Args:
        scope: e.g. `tool` or `http:<staff id>`.
        key: chosen by the caller, at most 200 characters.
        subject_id: whose key seals the result that is kept.
    """

    scope: str
    key: str
    subject_id: UUID


def effect_key_of(key: IdempotencyKey | None) -> str:
    """Return the effect of a call: the caller's key, or one that happens once."""
    return f"{key.scope}:{key.key}" if key else str(new_id())


@dataclass(frozen=True, slots=True)
class Replay:
    """What the first call with this key returned."""

    result: object


async def claim(
    uow: UnitOfWork, key: IdempotencyKey, arguments: Mapping[str, object]
) -> Replay | None:
    """Take the key for this transaction, or return what its first holder got.

    A second caller at the same moment waits until the first commits or rolls back.

    Raises:
        Conflict("idempotency.mismatch"): the key was used with other arguments.
    """
    secret = await _secret(uow, key)
    digest = secret.digest(canonical(arguments))
    row = None
    while row is None:
        free = await store.claim_key(
            uow.conn,
            scope=key.scope,
            key=key.key,
            subject_id=key.subject_id,
            digest=digest,
            at=uow.clock.now(),
        )
        if free:
            return None
        # None when it was forgotten in between, so that it can be taken after all.
        row = await store.select_key(uow.conn, scope=key.scope, key=key.key)
    if row["digest"] != digest or row["subject_id"] != key.subject_id:
        raise Conflict("idempotency.mismatch", "This key was used with other arguments.")
    if row["result"] is None:
        raise Conflict("idempotency.running", "The first call with this key has not ended.")
    return Replay(json.loads(secret.open(row["result"])))


async def complete(uow: UnitOfWork, key: IdempotencyKey, result: object) -> None:
    """Keep the result for later callers with the same key; written when this commits."""
    secret = await _secret(uow, key)
    uow.keep(Kept(key.scope, key.key, secret.seal(canonical(result))))


async def _secret(uow: UnitOfWork, key: IdempotencyKey) -> SubjectKey:
    secret = await uow.key(key.subject_id)
    if secret is None:
        raise Unavailable("subject.erased", "This person's records were erased.")
    return secret
