"""Use cases of fees: quote a price, accept or cancel it, read quotes and funds."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.courses.fees import acts, store
from crm.courses.fees.applications.service import ApplicationService
from crm.courses.fees.expiry import EXPIRE_BATCH, expire_quotes
from crm.courses.fees.models import FeePolicy, Quote, QuoteId, QuoteStatus
from crm.courses.fees.terms.service import TermsService
from crm.courses.models import CohortId
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import owner_of
from crm.people.reads import record_read


class FeeService:
    """Prices for people, and the scholarship money behind them.

    Args:
        policy: handed to `acts.quote_fee` by whoever calls it directly.
    """

    def __init__(self, database: Database, policy: FeePolicy) -> None:
        self._db = database
        self.policy = policy
        self.applications = ApplicationService(database)
        self.terms = TermsService(database)

    async def quote_fee(
        self,
        *,
        cohort_id: CohortId,
        person_id: PersonId,
        discount_code: str | None = None,
        scholarship_code: str | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Quote:
        """Freeze what a seat costs a person, a student for themself.

        Raises: as `acts.quote_fee`; Denied("identity.level" | "auth.role").
        """
        if _owner(actor, write=True) not in (None, person_id):
            raise NotFound("person.unknown", "There is no such person.")

        async with self._db.transaction() as uow:

            async def work() -> Quote:
                return await acts.quote_fee(
                    uow,
                    cohort_id=cohort_id,
                    person_id=person_id,
                    discount_code=discount_code,
                    scholarship_code=scholarship_code,
                    effect_key=f"quote:{new_id()}",
                    actor=actor,
                    policy=self.policy,
                )

            arguments = {
                "cohort_id": cohort_id,
                "person_id": person_id,
                "discount_code": discount_code,
                "scholarship_code": scholarship_code,
            }
            return await do_once(uow, idempotency, arguments, work, kind=Quote, about=person_id)

    async def accept_quote(
        self, quote_id: QuoteId, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Quote:
        """Agree to a price, a student to their own.

        Raises: as `acts.accept_quote`; Denied("identity.level" | "auth.role").
        """
        owner = _owner(actor, write=True)

        async with self._db.transaction() as uow:

            async def work() -> Quote:
                await _find(uow, quote_id, owner)
                return await acts.accept_quote(uow, quote_id, actor=actor)

            return await do_once(
                uow,
                idempotency,
                {"quote_id": quote_id},
                work,
                kind=Quote,
                about=lambda quote: quote.person_id,
            )

    async def cancel_quote(
        self, quote_id: QuoteId, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Quote:
        """Give back what a quote took from its fund, and return the quote as it is then.

        Raises: NotFound("quote.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = _owner(actor, write=True)

        async with self._db.transaction() as uow:

            async def work() -> Quote:
                await _find(uow, quote_id, owner)
                await acts.cancel_quote(uow, quote_id, actor=actor)
                return await _find(uow, quote_id, owner)

            return await do_once(
                uow,
                idempotency,
                {"quote_id": quote_id},
                work,
                kind=Quote,
                about=lambda quote: quote.person_id,
            )

    async def expire_due(self, limit: int = EXPIRE_BATCH) -> int:
        """Let quotes that nobody accepted in time expire; returns how many did."""
        async with self._db.transaction() as uow:
            return await expire_quotes(uow, limit=limit)

    async def get_quote(self, quote_id: QuoteId, *, actor: Actor) -> Quote:
        """Return a quote, a student's own only; staff's reading is audited.

        Raises: NotFound("quote.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = _owner(actor)
        async with self._db.audited_read() as uow:
            quote = await _find(uow, quote_id, owner)
            _record_read(uow, "quote.read", [quote], actor)
        return quote

    async def list_quotes(
        self,
        *,
        person_id: PersonId | None = None,
        cohort_id: CohortId | None = None,
        status: QuoteStatus | None = None,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Quote]:
        """Return quotes, newest first, a student's own only; staff's reading is audited.

        Raises: Denied("identity.level" | "auth.role"); RuleBroken("page.cursor").
        """
        owner = _owner(actor)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        filters = {"person_id": owner or person_id, "cohort_id": cohort_id, "status": status}
        async with self._db.audited_read() as uow:
            rows = await store.select_quotes(uow.conn, filters, after=after, limit=limit + 1)
            page = page_of(rows, limit, lambda q: encode_cursor(q.created_at, q.id))
            _record_read(uow, "quote.list", page.items, actor)
        return page


def _owner(actor: Actor, *, write: bool = False) -> PersonId | None:
    owner = owner_of(actor)
    if owner is None:
        require(actor, Area.ENROLMENTS, write=write)
    return owner


async def _find(uow: UnitOfWork, quote_id: QuoteId, owner: PersonId | None) -> Quote:
    quote = await store.select_quote(uow.conn, quote_id, owner=owner)
    if quote is None:
        raise NotFound("quote.unknown", "There is no such quote.")
    return quote


def _record_read(uow: UnitOfWork, action: str, shown: Sequence[Quote], actor: Actor) -> None:
    payload = {"quotes": [str(quote.id) for quote in shown]}
    people = [quote.person_id for quote in shown]
    record_read(uow, action, actor=actor, people=people, payload=payload)
