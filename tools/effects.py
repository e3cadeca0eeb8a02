"""Makes an effect happen once: the change, its event, its key and its record in one transaction."""

import asyncio
from typing import Any

from pydantic import BaseModel

from crm.db import Database, UnitOfWork
from crm.journal import idempotency
from crm.journal.idempotency import IdempotencyKey
from tools.attempt import Attempt
from tools.offer import Offer
from tools.outputs import from_stored, ok_of, to_stored
from tools.results import Ok
from tools.services import ToolServices
from tools.spec import Call, ToolSpec

SCOPE = "tool"


class Effects:
    """Carries out calls that change something."""

    def __init__(self, database: Database, services: ToolServices) -> None:
        self._db = database
        self._services = services

    async def perform(self, attempt: Attempt, spec: ToolSpec[Any, Any], args: BaseModel) -> Ok:
        """Carry out a call once, or return what it returned before.

        Raises: whatever the fence, the key or the handler raises; nothing is changed then.
        """
        async with self._db.transaction() as uow:
            async with asyncio.timeout(spec.timeout_s):
                await attempt.context.fence(uow)
                result = await self.perform_within(uow, attempt, spec, args)
        return result

    async def perform_within(
        self,
        uow: UnitOfWork,
        attempt: Attempt,
        spec: ToolSpec[Any, Any],
        args: BaseModel,
        *,
        offer: Offer | None = None,
    ) -> Ok:
        """Do the same in a transaction that has passed its fence.

        Args:
            offer: the terms that were agreed to.
        """
        context = attempt.context
        key = IdempotencyKey(SCOPE, attempt.effect_key, context.actor.subject_id)
        same = {
            "tool": spec.name,
            "version": spec.version,
            "arguments": args.model_dump(mode="json"),
        }
        replay = await idempotency.claim(uow, key, same)
        if replay is not None:
            uow.audit(attempt.replayed())
            return from_stored(replay.result)
        call = Call(context, args, self._services, attempt.effect_key, uow, offer)
        output = await spec.handler(call)
        result = ok_of(output)
        await idempotency.complete(uow, key, to_stored(result))
        uow.audit(attempt.done(result, output))
        return result
