"""Seats left, as PostgreSQL counts them."""

import asyncio
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.courses.commands import UpdateCohort
from crm.errors import RuleBroken

if TYPE_CHECKING:
    from conftest import Catalogue


async def test_seats_left_agree_with_a_naive_count(catalogue: "Catalogue") -> None:
    dice = random.Random(7)
    cohorts = []
    for _ in range(12):
        cohort = await catalogue.open_cohort("DAT-201", seats=30, blocked_seats=dice.randrange(4))
        statuses = dice.choices(["confirmed", "completed", "withdrawn"], k=dice.randrange(25))
        await catalogue.enrol(cohort, *statuses)
        cohorts.append(cohort)

    page = await catalogue.service.list_cohorts(course_code="DAT-201", limit=100)

    assert len(page.items) == len(cohorts)
    for cohort in page.items:
        taken = await catalogue.count(
            "SELECT count(*) FROM enrolments WHERE cohort_id = %s AND status <> 'withdrawn'",
            cohort.id,
        )
        assert cohort.seats_taken == taken
        assert cohort.seats_left == 30 - cohort.blocked_seats - taken
        assert await catalogue.service.get_cohort(cohort.id) == cohort


async def test_upcoming_leaves_out_full_closed_cancelled_and_late_ones(
    catalogue: "Catalogue", today: date
) -> None:
    later = await catalogue.open_cohort("DAT-110", starts_on=today + timedelta(days=40))
    soon = await catalogue.open_cohort("DAT-110", starts_on=today + timedelta(days=5))
    full = await catalogue.open_cohort("DAT-110", seats=2, blocked_seats=1)
    await catalogue.enrol(full, "confirmed", "withdrawn")
    for status in ("closed", "cancelled"):
        await catalogue.open_cohort("DAT-110", status=status)
    await catalogue.open_cohort("DAT-110", enrolment_closes=today - timedelta(days=1))
    await catalogue.open_cohort("DAT-110", starts_on=today - timedelta(days=7))

    upcoming = await catalogue.service.upcoming_cohorts("DAT-110")
    listed = await catalogue.service.list_cohorts(course_code="DAT-110", open_only=True, limit=9)
    detail = await catalogue.service.get_course("DAT-110")

    assert [c.code for c in upcoming] == [soon.code, later.code]
    assert [c.code for c in listed.items] == [soon.code, later.code]
    assert full.code in [c.code for c in detail.cohorts]
    assert "cancelled" not in {c.status for c in detail.cohorts}


async def test_day_is_the_institutions_not_the_servers(catalogue: "Catalogue", today: date) -> None:
    closes_today = await catalogue.open_cohort(
        "PRG-101", starts_on=today + timedelta(days=3), enrolment_closes=today
    )
    upcoming = await catalogue.service.upcoming_cohorts("PRG-101")
    assert closes_today.code in [c.code for c in upcoming]


async def test_cohort_keeps_a_seat_for_everybody_enrolled(catalogue: "Catalogue") -> None:
    cohort = await catalogue.open_cohort(seats=10)
    await catalogue.enrol(cohort, *["confirmed"] * 6)

    with pytest.raises(RuleBroken, match=r"cohort\.seats"):
        await catalogue.service.update_cohort(
            UpdateCohort(code=cohort.code, seats=5), actor=SERVICE_ACTOR
        )
    smaller = await catalogue.service.update_cohort(
        UpdateCohort(code=cohort.code, seats=7, status="closed"), actor=SERVICE_ACTOR
    )

    assert (smaller.seats, smaller.seats_left, smaller.status) == (7, 1, "closed")
    assert smaller.price == cohort.price


async def test_two_changes_at_once_cannot_squeeze_anybody_out(catalogue: "Catalogue") -> None:
    cohort = await catalogue.open_cohort(seats=10)
    await catalogue.enrol(cohort, *["confirmed"] * 6)
    changes = (
        UpdateCohort(code=cohort.code, seats=8),
        UpdateCohort(code=cohort.code, blocked_seats=4),
    )

    outcomes = await asyncio.gather(
        *(catalogue.service.update_cohort(c, actor=SERVICE_ACTOR) for c in changes),
        return_exceptions=True,
    )

    refused = [o for o in outcomes if isinstance(o, RuleBroken)]
    after = await catalogue.service.get_cohort(cohort.code)
    assert [r.code for r in refused] == ["cohort.seats"]
    assert after.seats >= after.blocked_seats + after.seats_taken
