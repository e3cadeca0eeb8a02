"""How prices that nobody accepted in time expire, and free what they reserved."""

from crm.actor import SERVICE_ACTOR
from crm.courses.fees import store
from crm.courses.fees.events import QuoteExpired
from crm.db import UnitOfWork
from crm.ids import INSTITUTION
from crm.journal.audit import performed

#: As many quotes as one round lets expire.
EXPIRE_BATCH = 200


async def expire_quotes(
    uow: UnitOfWork, *, limit: int = EXPIRE_BATCH, scholarship_code: str | None = None
) -> int:
    """Let quotes that nobody accepted in time expire; returns how many did.

    Args:
        scholarship_code: only those that rest on this one.
    """
    expired = await store.expire_overdue(
        uow.conn, at=uow.clock.now(), limit=limit, scholarship_code=scholarship_code
    )
    for quote_id in expired:
        uow.publish(QuoteExpired(quote_id=quote_id))
    if expired:
        uow.audit(
            performed(
                SERVICE_ACTOR,
                "quote.expire",
                "MONEY",
                about=INSTITUTION,
                payload={"quotes": [str(quote_id) for quote_id in expired]},
            )
        )
    return len(expired)
