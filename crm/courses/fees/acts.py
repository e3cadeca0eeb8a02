"""Quotes as acts within a transaction: freeze a price, accept it, cancel it, let it expire.

Rows are locked in one order, before any cohort, hold or enrolment: discount, scholarship,
application, quote. In a transaction that takes a seat as well, the quote comes first.
"""

from fractions import Fraction

from crm.actor import SERVICE_ACTOR, Actor, Role
from crm.courses.fees import rules, store
from crm.courses.fees.applications import store as applications
from crm.courses.fees.events import (
    FeeQuoted,
    GrantReturned,
    QuoteAccepted,
    QuoteCancelled,
    QuoteExpired,
)
from crm.courses.fees.models import (
    Applicant,
    ApplicationId,
    DiscountTerms,
    FeePolicy,
    FundState,
    Quote,
    QuoteId,
    QuoteStatus,
    Seat,
)
from crm.courses.fees.terms import store as terms
from crm.courses.models import CohortId
from crm.db import UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import INSTITUTION, PersonId, new_id
from crm.journal.audit import AuditEntry, Effect, performed
from crm.people.authority import check_active

#: As many quotes as one round of `expire_quotes` lets expire.
EXPIRE_BATCH = 200
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
    asked = (cohort_id, person_id, discount_code, scholarship_code)
    await store.lock_effect(uow.conn, effect_key)
    if before := await store.select_quote_by_effect(uow.conn, effect_key):
        return _same(before, asked)
    seat, alumni = await _seat(uow, cohort_id), await _is_alumni(uow, person_id)
    rules.check_live(await store.count_live(uow.conn, person_id, at=uow.clock.now()))
    applicant = Applicant(alumni=alumni, staffed=actor.role in (Role.ADVISOR, Role.ADMIN))
    discount = await _discount(uow, discount_code, applicant, seat, policy)
    fund = await _fund(uow, scholarship_code)
    award = await _award(uow, fund, person_id)
    quote = _price(uow, seat, person_id, discount, fund, award, policy)
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
    seat = await _seat(uow, cohort_id)
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


async def expire_quotes(uow: UnitOfWork, *, limit: int = EXPIRE_BATCH) -> int:
    """Let quotes that nobody accepted in time expire; returns how many did."""
    expired = await store.expire_overdue(uow.conn, at=uow.clock.now(), limit=limit)
    _note_expired(uow, expired)
    return len(expired)


async def _seat(uow: UnitOfWork, cohort_id: CohortId) -> Seat:
    seat = await store.select_seat(uow.conn, cohort_id)
    if seat is None:
        raise NotFound("cohort.unknown", "There is no such cohort.")
    if seat.cancelled:
        raise RuleBroken("cohort.closed", "This cohort was cancelled.")
    return seat


async def _is_alumni(uow: UnitOfWork, person_id: PersonId) -> bool:
    standing = await store.select_standing(uow.conn, person_id)
    if standing is None:
        raise NotFound("person.unknown", "There is no such person.")
    status, alumni = standing
    check_active(status)
    return alumni


async def _discount(
    uow: UnitOfWork, code: str | None, applicant: Applicant, seat: Seat, policy: FeePolicy
) -> DiscountTerms | None:
    if code is None:
        return None
    discount = await terms.select_discount(uow.conn, code, lock=False)
    if discount is None:
        raise NotFound("discount.unknown", "There is no such discount.")
    if discount.usage_limit is not None:
        discount = await terms.select_discount(uow.conn, code, lock=True) or discount
        rules.check_usage(discount, await terms.count_uses(uow.conn, code))
    rules.check_discount(discount, applicant, seat, today=policy.day_of(uow.clock.now()))
    return discount


async def _fund(uow: UnitOfWork, code: str | None) -> FundState | None:
    """Return how a scholarship's fund stands, with nobody else drawing on it meanwhile."""
    if code is None:
        return None
    await terms.lock_scholarship(uow.conn, code)
    # What is overdue must not be in the way of the next one, even when the beat is late.
    overdue = await store.expire_overdue(
        uow.conn, at=uow.clock.now(), limit=EXPIRE_BATCH, scholarship_code=code
    )
    _note_expired(uow, overdue)
    fund = await terms.select_fund(uow.conn, code)
    if fund is None:
        raise NotFound("scholarship.unknown", "There is no such scholarship.")
    if not fund.terms.active:
        raise RuleBroken("scholarship.inactive", "This scholarship is no longer given.")
    return fund


async def _award(
    uow: UnitOfWork, fund: FundState | None, person_id: PersonId
) -> ApplicationId | None:
    if fund is None or fund.terms.automatic:
        return None
    award = await applications.lock_award(
        uow.conn, scholarship_code=fund.terms.code, person_id=person_id
    )
    if award is None:
        raise RuleBroken("scholarship.award", "This scholarship has not been awarded.")
    if await applications.is_in_use(uow.conn, award):
        raise RuleBroken("scholarship.in_use", "Another quote rests on this scholarship.")
    return award


def _price(
    uow: UnitOfWork,
    seat: Seat,
    person_id: PersonId,
    discount: DiscountTerms | None,
    fund: FundState | None,
    award: ApplicationId | None,
    policy: FeePolicy,
) -> Quote:
    now = uow.clock.now()
    reductions = rules.reduce_price(seat.price, discount, fund.terms if fund else None)
    if fund:
        rules.check_fund(fund, reductions[-1].amount)
    return Quote(
        id=QuoteId(new_id()),
        cohort_id=seat.cohort_id,
        person_id=person_id,
        list_price=seat.price,
        reductions=reductions,
        net=rules.net_of(seat.price, reductions),
        status="live",
        created_at=now,
        expires_at=now + policy.quote_life,
        application_id=award,
    )


def _same(quote: Quote, asked: tuple[CohortId, PersonId, str | None, str | None]) -> Quote:
    codes = (quote.code_of("discount"), quote.code_of("scholarship"))
    if (quote.cohort_id, quote.person_id, *codes) != asked:
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


def _note_expired(uow: UnitOfWork, expired: list[QuoteId]) -> None:
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
