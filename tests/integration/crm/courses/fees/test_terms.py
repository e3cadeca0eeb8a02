"""Admins change the terms of discounts and scholarships; students ask, staff decide."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from crm.actor import Role
from crm.courses.fees.terms.service import DiscountChange, ScholarshipChange
from crm.errors import Denied, NotFound, OrientaError, RuleBroken
from crm.ids import new_id
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money

if TYPE_CHECKING:
    from conftest import Bursary

    from crm.actor import Actor


@pytest.fixture
def admin(advisor: Actor) -> Actor:
    return replace(advisor, role=Role.ADMIN)


async def test_discount_is_limited_and_withdrawn(bursary: Bursary, admin: Actor) -> None:
    code, cohort = await bursary.new_discount(), await bursary.new_cohort()
    change = bursary.fees.terms.change_discount
    limited = await change(code, DiscountChange(usage_limit=1), actor=admin)
    assert (limited.usage_limit, limited.active) == (1, True)
    await bursary.quote(await bursary.new_person(), cohort, discount_code=code)

    page = await bursary.fees.terms.list_discounts(limit=200, actor=bursary.advisor)
    assert {d.terms.code: d.used for d in page.items}[code] == 1
    await change(code, DiscountChange(active=False, usage_limit=9), actor=admin)
    with pytest.raises(RuleBroken, match=r"discount\.inactive"):
        await bursary.quote(await bursary.new_person(), cohort, discount_code=code)


async def test_discount_cannot_end_before_it_starts(bursary: Bursary, admin: Actor) -> None:
    code = await bursary.new_discount(valid_until=date(2026, 12, 1))
    with pytest.raises(RuleBroken, match=r"discount\.dates"):
        await bursary.fees.terms.change_discount(
            code, DiscountChange(valid_from=date(2026, 12, 2)), actor=admin
        )


async def test_fund_shrinks_no_further_than_what_is_promised(
    bursary: Bursary, admin: Actor
) -> None:
    code = await bursary.new_scholarship(50, automatic=True)
    await bursary.quote(
        await bursary.new_person(), await bursary.new_cohort(), scholarship_code=code
    )
    change = bursary.fees.terms.change_scholarship
    for fund, refusal in (
        (Money(49_999, "USD"), "scholarship.fund"),
        (Money(60_000, "PEN"), "money.currency"),
    ):
        with pytest.raises(RuleBroken) as refused:
            await change(code, ScholarshipChange(fund=fund), actor=admin)
        assert refused.value.code == refusal
    state = await change(
        code, ScholarshipChange(fund=Money(50_000, "USD"), combines=False), actor=admin
    )
    assert state.left == Money(0, "USD")
    assert not state.terms.combines


async def test_terms_are_admins_business(bursary: Bursary) -> None:
    code = await bursary.new_discount()
    with pytest.raises(Denied, match=r"auth\.role"):
        await bursary.fees.terms.change_discount(
            code, DiscountChange(active=False), actor=bursary.advisor
        )
    student = bursary.student(await bursary.new_person())
    for refused in (
        bursary.fees.terms.list_discounts(actor=student),
        bursary.fees.terms.list_funds(actor=student),
    ):
        with pytest.raises(Denied, match=r"auth\.role"):
            await refused


async def test_unknown_terms_are_not_found(bursary: Bursary, admin: Actor) -> None:
    terms = bursary.fees.terms
    with pytest.raises(NotFound, match=r"discount\.unknown"):
        await terms.change_discount("NONE", DiscountChange(active=True), actor=admin)
    with pytest.raises(NotFound, match=r"scholarship\.unknown"):
        await terms.change_scholarship("NONE", ScholarshipChange(active=True), actor=admin)


async def test_application_is_read_with_its_texts_and_decided_once(bursary: Bursary) -> None:
    person, code = await bursary.new_person(), await bursary.new_scholarship()
    mine, applications = bursary.student(person), bursary.fees.applications
    asked = await applications.request_scholarship(code, person, "Por favor.", actor=mine)
    assert (await applications.get_application(asked.id, actor=mine)).statement == "Por favor."

    declined = await applications.decline(asked.id, "Falta un recibo.", actor=bursary.advisor)

    detail = await applications.get_application(asked.id, actor=mine)
    assert detail.application == declined
    assert (declined.status, detail.answer) == ("declined", "Falta un recibo.")
    with pytest.raises(RuleBroken, match=r"scholarship\.decided"):
        await applications.award(asked.id, actor=bursary.advisor)
    again = await applications.request_scholarship(code, person, "Aquí está.", actor=mine)
    assert again.id != asked.id


async def test_texts_are_sealed_with_the_applicants_key(bursary: Bursary) -> None:
    person, code = await bursary.new_person(), await bursary.new_scholarship()
    applications = bursary.fees.applications
    asked = await applications.request_scholarship(
        code, person, "Secreto", actor=bursary.student(person)
    )
    plain = "SELECT count(*) FROM scholarship_applications WHERE position(%s in statement) > 0"
    assert await bursary.count(plain, b"Secreto") == 0
    await bursary.execute(
        "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = %s WHERE subject_id = %s",
        *(bursary.database.clock.now(), person),
    )
    assert (await applications.get_application(asked.id, actor=bursary.advisor)).statement is None


async def test_two_requests_at_once_make_one_application(bursary: Bursary) -> None:
    person, code = await bursary.new_person(), await bursary.new_scholarship()

    async def ask() -> object:
        return await bursary.fees.applications.request_scholarship(
            code, person, "Por favor.", actor=bursary.student(person)
        )

    outcomes = await asyncio.gather(*(ask() for _ in range(4)), return_exceptions=True)

    refused = [o for o in outcomes if isinstance(o, OrientaError)]
    assert [r.code for r in refused] == ["scholarship.requested"] * 3


async def test_what_cannot_be_asked_for(bursary: Bursary) -> None:
    person, other = await bursary.new_person(), await bursary.new_person()
    mine, ask = bursary.student(person), bursary.fees.applications.request_scholarship
    code = await bursary.new_scholarship()
    for wanted, who, kind, refusal in (
        ("NONE", person, NotFound, "scholarship.unknown"),
        (
            await bursary.new_scholarship(automatic=True),
            person,
            RuleBroken,
            "scholarship.automatic",
        ),
        (await bursary.new_scholarship(active=False), person, RuleBroken, "scholarship.inactive"),
        (code, other, NotFound, "person.unknown"),
    ):
        with pytest.raises(kind) as refused:
            await ask(wanted, who, "x", actor=mine)
        assert refused.value.code == refusal
    with pytest.raises(RuleBroken, match=r"scholarship\.text"):
        await ask(code, person, "x" * 4_001, actor=mine)
    with pytest.raises(Denied, match=r"auth\.role"):
        await bursary.fees.applications.award(new_id(), actor=mine)  # type: ignore[arg-type]


async def test_lists_are_paged_filtered_and_a_students_own(bursary: Bursary) -> None:
    applications, code = bursary.fees.applications, await bursary.new_scholarship()
    people = [await bursary.new_person() for _ in range(3)]
    for person in people:
        await applications.request_scholarship(code, person, "", actor=bursary.student(person))

    first = await applications.list_applications(
        scholarship_code=code, status="requested", limit=2, actor=bursary.advisor
    )
    rest = await applications.list_applications(
        scholarship_code=code, cursor=first.next_cursor, limit=2, actor=bursary.advisor
    )
    own = await applications.list_applications(
        person_id=people[1], actor=bursary.student(people[0])
    )

    assert [a.person_id for a in (*first.items, *rest.items)] == people[::-1]
    assert [a.person_id for a in own.items] == [people[0]]


async def test_repeated_request_with_one_key_returns_the_first(bursary: Bursary) -> None:
    person, code = await bursary.new_person(), await bursary.new_scholarship()
    key = IdempotencyKey("test", str(new_id()), person)
    made = [
        await bursary.fees.applications.request_scholarship(
            code, person, "x", actor=bursary.student(person), idempotency=key
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
