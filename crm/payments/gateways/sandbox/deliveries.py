"""Delivers the sandbox's webhooks over HTTP: each at least once, with retries."""

import httpx

from crm.db import Database
from crm.payments.gateways.sandbox import signing, store, till
from crm.payments.gateways.sandbox.models import MAX_ATTEMPTS, Delivery, wait_after

TIMEOUT_S = 10


class SandboxDeliveries:
    """What the sandbox does by itself: reports, and ends what has run its time.

    Any number of processes may do so at once.

    Args:
        url: where the institution takes webhooks.
    """

    def __init__(
        self, database: Database, client: httpx.AsyncClient, *, secret: bytes, url: str
    ) -> None:
        self._db = database
        self._client = client
        self._secret = secret
        self._url = url

    async def run_due(self, limit: int = 50) -> int:
        """Expire checkouts, settle refunds and deliver what is due.

        Returns: how many webhooks were tried.
        """
        async with self._db.transaction() as uow:
            await till.expire_due(uow, limit)
        async with self._db.transaction() as uow:
            await till.settle_due(uow, limit)
        for count in range(limit):
            if not await self._deliver_one():
                return count
        return limit

    async def _deliver_one(self) -> bool:
        async with self._db.transaction(durable=False) as uow:
            delivery = await store.claim_delivery(uow.conn, at=uow.clock.now())
        if delivery is None:
            return False
        delivered, answer = await self._post(delivery)
        async with self._db.transaction() as uow:
            if delivered or delivery.attempts >= MAX_ATTEMPTS:
                status = "delivered" if delivered else "dead"
                await store.close_delivery(uow.conn, delivery.id, status=status, answer=answer)
            else:
                until = uow.clock.now() + wait_after(delivery.attempts)
                await store.postpone_delivery(uow.conn, delivery.id, until=until, answer=answer)
        return True

    async def _post(self, delivery: Delivery) -> tuple[bool, str]:
        """Return whether the webhook was taken, and what came back."""
        async with self._db.read() as conn:
            event = await store.select_event(conn, delivery.event_id)
        if event is None:
            return False, "no event"
        body = signing.write_body(event.as_event())
        signature = signing.sign(body, self._secret, self._db.clock.now())
        headers = {signing.HEADER: signature, "content-type": "application/json"}
        try:
            answer = await self._client.post(
                self._url, content=body, headers=headers, timeout=TIMEOUT_S
            )
        except httpx.HTTPError as failure:
            return False, type(failure).__name__
        return answer.is_success, str(answer.status_code)
