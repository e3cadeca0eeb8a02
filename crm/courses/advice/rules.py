"""What speaks against a course for one person: pure rules, a code each."""

from collections.abc import Iterator
from datetime import date

from crm.courses.advice.models import Obstacle, RunningClass, StudyRecord, Verdict, Wishes
from crm.courses.models import Cohort, CourseDetail, Schedule
from crm.money import Money


def judge_course(
    detail: CourseDetail, record: StudyRecord, wishes: Wishes, *, today: date
) -> Verdict:
    """Return the group of a course that fits a person best, and all that speaks against it.

    Of several groups the one with the fewest obstacles counts, of those the soonest.
    """
    running = [c for c in detail.cohorts if c.status == "open" and today <= c.enrolment_closes]
    looked_at = [(cohort, tuple(_against_group(cohort, record, wishes))) for cohort in running]
    group, of_group = min(
        looked_at,
        key=lambda found: (len(found[1]), found[0].starts_on, found[0].code),
        default=(None, (Obstacle(code="no_group"),)),
    )
    price = group.price if group else detail.course.price
    own = _against_course(detail, record, wishes)
    return Verdict(group, (*own, *of_group, *_against_price(price, wishes.budget)))


def _against_course(
    detail: CourseDetail, record: StudyRecord, wishes: Wishes
) -> Iterator[Obstacle]:
    course = detail.course
    if course.code in record.taken:
        yield Obstacle(code="taken")
    if course.code in record.refused:
        yield Obstacle(code="refused")
    missing = tuple(p for p in detail.prerequisites if p.code not in record.completed)
    if missing:
        yield Obstacle(code="prerequisites", courses=missing)
    if wishes.language not in (None, course.language):
        yield Obstacle(code="language")


def _against_group(cohort: Cohort, record: StudyRecord, wishes: Wishes) -> Iterator[Obstacle]:
    if cohort.seats_left == 0:
        yield Obstacle(code="full")
    if wishes.modality not in (None, cohort.modality):
        yield Obstacle(code="modality")
    if not _is_free(cohort.schedule, wishes):
        yield Obstacle(code="schedule")
    clashing = tuple(c.course for c in record.classes if _clash(c, cohort))
    if clashing:
        yield Obstacle(code="clash", courses=clashing)


def _against_price(price: Money, budget: Money | None) -> Iterator[Obstacle]:
    if budget is None:
        return
    if price.currency != budget.currency:
        yield Obstacle(code="currency", price=price)
    elif price.amount_minor > budget.amount_minor:
        yield Obstacle(code="budget", price=price)


def _is_free(schedule: Schedule, wishes: Wishes) -> bool:
    """Return whether somebody can come to every class."""
    return (
        (not wishes.days or set(schedule.days) <= wishes.days)
        and (wishes.earliest is None or wishes.earliest <= schedule.start_time)
        and (wishes.latest is None or schedule.end_time <= wishes.latest)
    )


def _clash(running: RunningClass, cohort: Cohort) -> bool:
    """Return whether two classes meet at the same time on some day of their lives."""
    one, other = running.schedule, cohort.schedule
    return (
        running.starts_on <= cohort.ends_on
        and cohort.starts_on <= running.ends_on
        and bool(set(one.days) & set(other.days))
        and one.start_time < other.end_time
        and other.start_time < one.end_time
    )
