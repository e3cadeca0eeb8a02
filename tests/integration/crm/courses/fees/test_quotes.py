"""Prices are frozen, reduced, accepted, cancelled and expire, on a real database."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel
from crm.courses.commands import UpdateCohort
from crm.courses.fees import acts
from crm.courses.fees.models import QuoteId
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import PersonId, SubjectId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money

if TYPE_CHECKING:
    from conftest import Bursary

    from crm.clock import FixedClock


async def test_price_stays_as_quoted_when_the_cohorts_changes(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.catalogue.open_cohort()
    quote = await bursary.quote(person, cohort.id)
    dearer = UpdateCohort(code=cohort.code, price=Money(99_900, "USD"))
    await bursary.catalogue.service.update_cohort(dearer, actor=SERVICE_ACTOR)

    accepted = await bursary.fees.accept_quote(quote.id, actor=bursary.student(person))

    assert quote.net == accepted.net == Money(14_900, "USD")
    assert accepted.status == "accepted"


async def test_discount_comes_first_and_the_scholarship_off_what_remains(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort(100_001)
    discount = await bursary.new_discount(10)
    scholarship = await bursary.new_scholarship(50)
    await bursary.award(person, scholarship)

    quote = await bursary.quote(
        person, cohort, discount_code=discount, scholarship_code=scholarship
    )

    assert [(r.code, r.amount.amount_minor) for r in quote.reductions] == [
        (discount, 10_000),
        (scholarship, 45_000),
    ]
    assert quote.net == Money(45_001, "USD")


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"active": False}, "discount.inactive"),
        ({"valid_from": date(2026, 11, 24)}, "discount.inactive"),
        ({"valid_until": date(2026, 11, 22)}, "discount.inactive"),
        ({"rule": "alumni"}, "discount.alumni"),
        ({"rule": "early"}, "discount.early"),
        ({"rule": "staff"}, "discount.staff"),
        ({"currency": "PEN"}, "money.currency"),
    ],
)
async def test_discount_is_refused(bursary: Bursary, columns: dict[str, object], code: str) -> None:
    """At the institution it is the 23rd, and the cohort starts in 14 days."""
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    discount = await bursary.new_discount(**columns)
    with pytest.raises(RuleBroken) as refusal:
        await bursary.quote(person, cohort, discount_code=discount)
    assert refusal.value.code == code


async def test_discount_counts_for_whom_it_is_made(bursary: Bursary) -> None:
    cohort = await bursary.new_cohort()
    alumni = await bursary.new_person()
    await bursary.execute(
        "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
        "VALUES (%s, %s, %s, 'completed', %s)",
        *(new_id(), alumni, await bursary.new_cohort(), bursary.database.clock.now()),
    )
    for rule, actor in (("alumni", bursary.student(alumni)), ("staff", bursary.advisor)):
        discount = await bursary.new_discount(10, rule=rule)
        quote = await bursary.quote(alumni, cohort, discount_code=discount, actor=actor)
        assert quote.net == Money(90_000, "USD")


async def test_what_does_not_exist_is_not_found(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    for what, asked in (
        ("cohort", {"cohort_id": new_id()}),
        ("discount", {"discount_code": "NONE"}),
        ("scholarship", {"scholarship_code": "NONE"}),
        ("person", {"person_id": new_id()}),
    ):
        given = {"person_id": person, "cohort_id": cohort, **asked}
        with pytest.raises(NotFound, match=rf"{what}\.unknown"):
            await bursary.fees.quote_fee(**given, actor=SERVICE_ACTOR)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match=r"quote\.unknown"):
        await bursary.fees.get_quote(QuoteId(new_id()), actor=SERVICE_ACTOR)


async def test_nobody_enrols_in_a_cancelled_cohort(bursary: Bursary) -> None:
    cohort = await bursary.catalogue.open_cohort(status="cancelled")
    with pytest.raises(RuleBroken, match=r"cohort\.closed"):
        await bursary.quote(await bursary.new_person(), cohort.id)


async def test_expired_price_is_not_accepted_even_before_the_beat_comes(
    bursary: Bursary, clock: FixedClock
) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    quote = await bursary.quote(person, cohort)
    clock.advance(timedelta(minutes=30))

    with pytest.raises(RuleBroken, match=r"quote\.expired"):
        await bursary.fees.accept_quote(quote.id, actor=bursary.student(person))
    assert await bursary.fees.expire_due() >= 1
    assert await bursary.fees.expire_due() == 0
    with pytest.raises(RuleBroken, match=r"quote\.expired"):
        await bursary.fees.accept_quote(quote.id, actor=bursary.student(person))


async def test_same_effect_makes_one_quote_whoever_comes_first(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    scholarship = await bursary.new_scholarship(50)
    await bursary.award(person, scholarship)
    effect = f"saga:{new_id()}"

    async def quote(code: str | None = scholarship) -> QuoteId:
        async with bursary.database.transaction() as uow:
            made = await acts.quote_fee(
                uow,
                cohort_id=cohort,  # type: ignore[arg-type]
                person_id=person,
                discount_code=None,
                scholarship_code=code,
                effect_key=effect,
                actor=SERVICE_ACTOR,
            )
            return made.id

    ids = await asyncio.gather(*(quote() for _ in range(6)))

    assert len(set(ids)) == 1
    assert await bursary.fund(scholarship) == (50_000, 0, 950_000)
    with pytest.raises(Conflict, match=r"quote\.effect"):
        await quote(None)


async def test_accepting_and_cancelling_twice_changes_nothing_more(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    quote = await bursary.quote(person, cohort)
    events = "SELECT count(*) FROM outbox WHERE payload->>'quote_id' = %s"

    async with bursary.database.transaction() as uow:
        first = await acts.accept_quote(uow, quote.id, actor=SERVICE_ACTOR)
        again = await acts.accept_quote(uow, quote.id, actor=SERVICE_ACTOR)
        gone = [await acts.cancel_quote(uow, quote.id, actor=SERVICE_ACTOR) for _ in range(2)]

    assert first == again
    assert gone == [True, False]
    assert await bursary.count(events, str(quote.id)) == 3
    with pytest.raises(RuleBroken, match=r"quote\.cancelled"):
        await bursary.fees.accept_quote(quote.id, actor=bursary.student(person))


async def test_repeated_call_returns_the_first_quote(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    key = IdempotencyKey("test", str(new_id()), person)
    first = await bursary.quote(person, cohort, idempotency=key)
    assert await bursary.quote(person, cohort, idempotency=key) == first
    with pytest.raises(Conflict, match=r"idempotency\.mismatch"):
        await bursary.quote(person, await bursary.new_cohort(), idempotency=key)


async def test_discount_is_given_no_oftener_than_it_may_be(bursary: Bursary) -> None:
    discount, cohort = await bursary.new_discount(usage_limit=3), await bursary.new_cohort()
    people = [await bursary.new_person() for _ in range(8)]

    outcomes = await asyncio.gather(
        *(bursary.quote(p, cohort, discount_code=discount) for p in people), return_exceptions=True
    )

    refused = [o.code for o in outcomes if isinstance(o, RuleBroken)]
    assert refused == ["discount.used_up"] * 5
    (kept, *_) = [o for o in outcomes if not isinstance(o, BaseException)]
    await bursary.fees.cancel_quote(kept.id, actor=SERVICE_ACTOR)
    await bursary.quote(people[0], cohort, discount_code=discount)


async def test_nobody_keeps_more_prices_open_than_they_need(
    bursary: Bursary, clock: FixedClock
) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    quotes = [await bursary.quote(person, cohort) for _ in range(5)]
    with pytest.raises(RuleBroken, match=r"quote\.too_many"):
        await bursary.quote(person, cohort)
    await bursary.fees.cancel_quote(quotes[0].id, actor=bursary.student(person))
    await bursary.quote(person, cohort)
    clock.advance(timedelta(minutes=30))
    await bursary.quote(person, cohort)


async def test_student_has_only_their_own_quotes(bursary: Bursary) -> None:
    cohort = await bursary.new_cohort()
    ana, eva = await bursary.new_person(), await bursary.new_person()
    quotes = [await bursary.quote(ana, cohort) for _ in range(3)]
    other = bursary.student(eva)

    for act in (bursary.fees.get_quote, bursary.fees.accept_quote, bursary.fees.cancel_quote):
        with pytest.raises(NotFound, match=r"quote\.unknown"):
            await act(quotes[0].id, actor=other)  # type: ignore[operator]
    with pytest.raises(NotFound, match=r"person\.unknown"):
        await bursary.quote(ana, cohort, actor=other)
    assert (await bursary.fees.list_quotes(person_id=ana, actor=other)).items == ()
    stranger = Actor(SubjectId(new_id()), IdentityLevel.CHANNEL, PersonId(ana))
    with pytest.raises(Denied, match=r"identity\.level"):
        await bursary.fees.get_quote(quotes[0].id, actor=stranger)

    first = await bursary.fees.list_quotes(limit=2, actor=bursary.student(ana))
    rest = await bursary.fees.list_quotes(
        limit=2, cursor=first.next_cursor, actor=bursary.student(ana)
    )
    assert [q.id for q in (*first.items, *rest.items)] == [q.id for q in reversed(quotes)]
    assert rest.next_cursor is None


async def test_staffs_reading_is_audited_with_whom_it_shows(bursary: Bursary) -> None:
    records = "SELECT count(*) FROM audit_events WHERE action = 'quote.read' AND staff_id = %s"
    person = await bursary.new_person()
    quote = await bursary.quote(person, await bursary.new_cohort())
    before = await bursary.count(records, bursary.advisor.staff_id)
    await bursary.fees.get_quote(quote.id, actor=bursary.advisor)
    await bursary.fees.get_quote(quote.id, actor=bursary.student(person))
    assert await bursary.count(records, bursary.advisor.staff_id) == before + 1
