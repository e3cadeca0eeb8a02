"""Quotes as acts within a transaction: freeze a price, accept it, cancel it, give back of it.

Rows are locked in one order, before any cohort, hold or enrolment: discount, scholarship,
application, quote. In a transaction that takes a seat as well, the quote comes first.
"""

from fractions import Fraction

from crm.actor import Actor
from crm.courses.fees import rules, store
from crm.courses.fees.applications import store as applications
from crm.courses.fees.events import FeeQuoted, GrantReturned, QuoteAccepted, QuoteCancelled
from crm.courses.fees.models import FeePolicy, Quote, QuoteId, QuoteStatus
from crm.courses.fees.pricing import WantedPrice, price_seat, require_seat
from crm.courses.fees.terms import store as terms
from crm.courses.models import CohortId
from crm.db import UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import PersonId
from crm.journal.audit import AuditEntry, Effect, performed

_DEFAULT_POLICY = FeePolicy()


async def quote_fee(
    uow: UnitOfWork,
    *,
    cohort_id: CohortId,
    person_id: PersonId,
    discount_code: str | None = None,
    scholarship_code: str | None = None,
    effect_key: str,
    actor: Actor,
    policy: FeePolicy = _DEFAULT_POLICY,
) -> Quote:
    """Freeze what a seat costs a person; a scholarship's share is reserved while the quote lives.

    The same effect key returns the same quote, whatever has become of it.

    Raises:
        NotFound("cohort.unknown" | "person.unknown" | "discount.unknown" | "scholarship.unknown").
        RuleBroken("cohort.closed" | "person.inactive" | "quote.combination" | "money.currency").
        RuleBroken("quote.too_many"): the person has as many live ones as they may.
        RuleBroken: see `rules.check_discount`, `rules.check_usage`, `rules.check_fund`.
        RuleBroken("scholarship.inactive" | "scholarship.award" | "scholarship.in_use"): withdrawn;
            not awarded to this person; another quote that stands rests on the award.
        Conflict("quote.effect"): the key was used for another quote.
    """
    wanted = WantedPrice(cohort_id, person_id, discount_code, scholarship_code)
    await store.lock_effect(uow.conn, effect_key)
    if before := await store.select_quote_by_effect(uow.conn, effect_key):
        return _same(before, wanted)
    quote = await price_seat(uow, wanted, policy, actor=actor)
    await store.insert_quote(uow.conn, quote, effect_key)
    uow.publish(FeeQuoted(quote_id=quote.id, cohort_id=cohort_id, person_id=person_id))
    uow.audit(_entry("quote.create", quote, actor, effect="WRITE"))
    return quote


async def accept_quote(uow: UnitOfWork, quote_id: QuoteId, *, actor: Actor) -> Quote:
    """Agree to a price; its scholarship's reservation becomes a grant. Idempotent.

    Raises:
        NotFound("quote.unknown").
        RuleBroken("quote.expired" | "quote.cancelled").
    """
    quote = await _locked(uow, quote_id)
    if quote.status == "accepted":
        return quote
    if quote.status == "cancelled":
        raise RuleBroken("quote.cancelled", "This price was cancelled.")
    if quote.status == "expired" or quote.expires_at <= uow.clock.now():
        raise RuleBroken("quote.expired", "This price has expired.")
    if quote.application_id:
        await applications.update_status(uow.conn, quote.application_id, "used")
    uow.publish(QuoteAccepted(quote_id=quote_id))
    return await _decide(uow, quote, "accepted", actor)


async def accept_shown(
    uow: UnitOfWork, quote_id: QuoteId, *, cohort_id: CohortId, person_id: PersonId, actor: Actor
) -> Quote:
    """Agree to a price that was shown for this seat, if it is the price today, too.

    Raises:
        NotFound("quote.unknown"): no such quote, or it is for another seat or person.
        RuleBroken("quote.changed"): the list price is another one by now.
        RuleBroken("quote.expired" | "quote.cancelled" | "cohort.closed").
    """
    quote = await _locked(uow, quote_id)
    if (quote.cohort_id, quote.person_id) != (cohort_id, person_id):
        raise NotFound("quote.unknown", "There is no such quote.")
    seat = await require_seat(uow, cohort_id)
    if seat.price != quote.list_price:
        raise RuleBroken("quote.changed", "The price has changed since it was shown.")
    return await accept_quote(uow, quote_id, actor=actor)


async def cancel_quote(uow: UnitOfWork, quote_id: QuoteId, *, actor: Actor) -> bool:
    """Give a quote's reservation or grant back to its fund; False when it no longer stood.

    Raises: NotFound("quote.unknown").
    """
    quote = await _locked(uow, quote_id)
    if quote.status not in ("live", "accepted"):
        return False
    if quote.application_id and quote.status == "accepted":
        await applications.update_status(uow.conn, quote.application_id, "awarded")
    uow.publish(QuoteCancelled(quote_id=quote_id))
    await _decide(uow, quote, "cancelled", actor)
    return True


async def return_grant(uow: UnitOfWork, quote_id: QuoteId, share: Fraction, *, actor: Actor) -> int:
    """Give a share of an accepted quote's grant back to its fund, once.

    Args:
        share: 1 undoes the quote: the award can be used again.

    Returns: how many minor units went back, now or before.

    Raises: NotFound("quote.unknown").
    """
    quote = await _locked(uow, quote_id)
    if quote.status != "accepted" or quote.returned_minor > 0:
        return quote.returned_minor
    if share == 1:
        await cancel_quote(uow, quote_id, actor=actor)
        return quote.grant_minor
    returned = rules.returned_of(quote.grant_minor, share)
    if returned > 0:
        quote = await store.update_returned(uow.conn, quote_id, returned)
        currency = quote.net.currency
        uow.publish(GrantReturned(quote_id=quote_id, amount_minor=returned, currency=currency))
        uow.audit(_entry("quote.return_grant", quote, actor, effect="MONEY"))
    return returned


def _same(quote: Quote, wanted: WantedPrice) -> Quote:
    codes = (quote.code_of("discount"), quote.code_of("scholarship"))
    if WantedPrice(quote.cohort_id, quote.person_id, *codes) != wanted:
        raise Conflict("quote.effect", "This effect made another quote.")
    return quote


async def _locked(uow: UnitOfWork, quote_id: QuoteId) -> Quote:
    """Return a quote that nobody else changes; its fund and award are locked before it."""
    quote = await store.select_quote(uow.conn, quote_id, owner=None)
    if quote is None:
        raise NotFound("quote.unknown", "There is no such quote.")
    if (code := quote.code_of("scholarship")) is not None:
        await terms.lock_scholarship(uow.conn, code)
    if quote.application_id:
        await applications.lock_application(uow.conn, quote.application_id)
    return await store.select_quote(uow.conn, quote_id, owner=None, lock=True) or quote


async def _decide(uow: UnitOfWork, quote: Quote, status: QuoteStatus, actor: Actor) -> Quote:
    decided = await store.update_quote(uow.conn, quote.id, status, at=uow.clock.now())
    uow.audit(_entry(f"quote.{_VERBS[status]}", decided, actor, effect="MONEY"))
    return decided


_VERBS = {"accepted": "accept", "cancelled": "cancel"}


def _entry(action: str, quote: Quote, actor: Actor, *, effect: Effect) -> AuditEntry:
    return performed(
        actor,
        action,
        effect,
        about=quote.person_id,
        payload={
            "quote_id": str(quote.id),
            "cohort_id": str(quote.cohort_id),
            "list_minor": quote.list_price.amount_minor,
            "net_minor": quote.net.amount_minor,
            "currency": quote.net.currency,
            "reductions": {r.code: r.amount.amount_minor for r in quote.reductions},
            "returned_minor": quote.returned_minor,
        },
    )
