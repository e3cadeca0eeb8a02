"""Does something once a key, and keeps the result under the key of the person it is about."""

import base64
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from pydantic import TypeAdapter

from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.ids import INSTITUTION
from crm.journal import idempotency
from crm.journal.audit import canonical
from crm.journal.idempotency import IdempotencyKey
from crm.journal.vault import SubjectKey

T = TypeVar("T")
About = Callable[[T], UUID] | UUID | None


async def do_once(
    uow: UnitOfWork,
    key: IdempotencyKey | None,
    arguments: Mapping[str, object],
    act: Callable[[], Awaitable[T]],
    *,
    kind: type[T],
    about: About[T] = None,
) -> T:
    """Do it, or return what the first call with this key and these arguments returned.

    Args:
        kind: the type of the result.
        about: the person whose key seals the result that is kept, or gives them from the result;
            None for what is about nobody.

    Raises:
        Conflict("idempotency.mismatch"): the key was used with other arguments.
        NotFound("person.unknown"): the person was erased since.
    """
    if key is None:
        return await act()
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, kind))
    if isinstance(about, UUID):
        uow.expect(about)
    if replay := await idempotency.claim(uow, key, arguments):
        kept: dict[str, str] = _adapter(dict[str, str]).validate_python(replay.result)
        secret = await _secret(uow, UUID(kept["person_id"]))
        return adapter.validate_json(secret.open(base64.b64decode(kept["box"])))
    result = await act()
    person_id = about(result) if callable(about) else about or INSTITUTION
    plain = adapter.dump_python(result, mode="json")  # what the adapter can read again
    sealed = (await _secret(uow, person_id)).seal(canonical(plain))
    box = base64.b64encode(sealed).decode()
    await idempotency.complete(uow, key, {"person_id": str(person_id), "box": box})
    return result


async def run_once(
    database: Database,
    key: IdempotencyKey | None,
    arguments: Mapping[str, object],
    act: Callable[[UnitOfWork], Awaitable[T]],
    *,
    kind: type[T],
    about: About[T] = None,
) -> T:
    """Do it once, as `do_once`, in a transaction of its own."""
    async with database.transaction() as uow:
        return await do_once(uow, key, arguments, lambda: act(uow), kind=kind, about=about)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # Building one costs more than using it.
    return TypeAdapter(kind)


async def _secret(uow: UnitOfWork, person_id: UUID) -> SubjectKey:
    secret = await uow.key(person_id)
    if secret is None:
        raise NotFound("person.unknown", "There is no such person.")
    return secret
