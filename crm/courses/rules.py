"""The catalogue's rules: pure functions, no I/O."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from graphlib import CycleError, TopologicalSorter

from crm.courses.commands import CreateCohort, UpdateCohort
from crm.courses.models import WEEKDAYS, Cohort, CourseContent, Schedule
from crm.errors import RuleBroken
from crm.money import Money


def is_enrollable(cohort: Cohort, on: date) -> bool:
    """Say whether one may enrol in a cohort on a day."""
    return cohort.status == "open" and on <= cohort.enrolment_closes and cohort.seats_left > 0


def next_cohort(cohorts: Iterable[Cohort], on: date) -> Cohort | None:
    """Return the cohort that starts soonest of those one may enrol in."""
    enrollable = (c for c in cohorts if is_enrollable(c, on))
    return min(enrollable, key=lambda c: (c.starts_on, c.code), default=None)


def assert_acyclic(prerequisites: Mapping[str, Iterable[str]]) -> None:
    """Check that no course comes, directly or by way of others, before itself.

    Args:
        prerequisites: course code → codes that must come before it.
    Raises: RuleBroken("course.prerequisites.cycle"): there is a circle.
    """
    try:
        TopologicalSorter(prerequisites).prepare()
    except CycleError as circle:
        path = " → ".join(circle.args[1])
        raise RuleBroken(
            "course.prerequisites.cycle", f"These prerequisites form a circle: {path}."
        ) from circle


def net_price(price: Money, percent: int, cap: Money) -> Money:
    """Return a price after a reduction in percent that never exceeds its cap.

    The reduction is rounded down to whole minor units.

    Raises:
        RuleBroken("discount.percent"): not within 0 to 100.
        RuleBroken("money.currency"): the cap is of another currency.
    """
    if not 0 <= percent <= 100:
        raise RuleBroken("discount.percent", "A discount lies between 0 and 100 percent.")
    reduction = Money(max(0, price.amount_minor) * percent // 100, price.currency)
    ceiling = Money(max(0, cap.amount_minor), cap.currency)
    over = reduction - ceiling
    return price - (ceiling if over.amount_minor > 0 else reduction)


def last_day(starts_on: date, weeks: int, days: Iterable[str]) -> date:
    """Return the last day of class: the last weekday of `days` in the last week."""
    monday = starts_on - timedelta(days=starts_on.weekday())
    last = max((WEEKDAYS.index(day) for day in WEEKDAYS if day in set(days)), default=0)
    return max(starts_on, monday + timedelta(weeks=weeks - 1, days=last))


def check_course(content: CourseContent) -> None:
    """Check what staff wrote about a course.

    Raises:
        RuleBroken("course.text"): a title or summary is missing in a language.
        RuleBroken("course.workload"): hours or weeks are not positive.
        RuleBroken("course.price"): negative, or not a currency code.
    """
    texts = (content.title.es, content.title.en, content.summary.es, content.summary.en)
    if not all(text.strip() for text in texts):
        raise RuleBroken("course.text", "A course has a title and a summary in both languages.")
    if min(content.hours, content.weeks, content.hours_per_week) < 1:
        raise RuleBroken("course.workload", "Hours and weeks are positive.")
    if not is_valid_price(content.price):
        raise RuleBroken("course.price", "A price is not negative and has a currency code.")


def is_valid_price(price: Money) -> bool:
    """Say whether a price can be charged."""
    return price.amount_minor >= 0 and re.fullmatch(r"[A-Z]{3}", price.currency) is not None


def check_new_cohort(command: CreateCohort, *, ends_on: date) -> None:
    """Check a cohort before it is opened.

    Raises:
        RuleBroken("cohort.dates"): enrolment closes after the start, or the end comes before it.
        RuleBroken("cohort.schedule"): no day, an unknown one, or the end is not after the start.
        RuleBroken("cohort.seats"): none, or more are blocked than there are.
        RuleBroken("cohort.price"): negative, or not a currency code.
    """
    if not command.enrolment_closes <= command.starts_on <= ends_on:
        raise RuleBroken("cohort.dates", "Enrolment closes by the start, and the end comes last.")
    if not _is_valid_schedule(command.schedule):
        raise RuleBroken(
            "cohort.schedule", "A schedule has days, and classes end after they start."
        )
    if command.seats < 1 or not 0 <= command.blocked_seats <= command.seats:
        raise RuleBroken("cohort.seats", "A cohort has seats, and no more are blocked than it has.")
    if command.price is not None and not is_valid_price(command.price):
        raise RuleBroken("cohort.price", "A price is not negative and has a currency code.")


def _is_valid_schedule(schedule: Schedule) -> bool:
    known = bool(schedule.days) and set(schedule.days) <= set(WEEKDAYS)
    return known and schedule.start_time < schedule.end_time


def check_cohort_change(cohort: Cohort, change: UpdateCohort) -> None:
    """Check that a change leaves everybody their seat.

    Raises:
        RuleBroken("cohort.seats"): fewer seats than are taken, held and blocked.
        RuleBroken("cohort.dates"): enrolment would close after the start.
        RuleBroken("cohort.price"): negative, or not a currency code.
    """
    seats = cohort.seats if change.seats is None else change.seats
    blocked = cohort.blocked_seats if change.blocked_seats is None else change.blocked_seats
    in_use = cohort.seats_taken + cohort.seats_held
    if seats < 1 or blocked < 0 or seats < blocked + in_use:
        raise RuleBroken(
            "cohort.seats", "There cannot be fewer seats than are taken, held or blocked."
        )
    if change.enrolment_closes is not None and change.enrolment_closes > cohort.starts_on:
        raise RuleBroken("cohort.dates", "Enrolment closes by the start.")
    if change.price is not None and not is_valid_price(change.price):
        raise RuleBroken("cohort.price", "A price is not negative and has a currency code.")
