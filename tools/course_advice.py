"""Advises a person on courses: what fits them by a model, and what speaks against each of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crm.courses.advice.models import StudyRecord, Verdict, Wishes
from crm.courses.advice.rules import judge_course
from crm.courses.models import Course, CourseDetail, CourseRef, Locale
from crm.courses.service import CourseService
from crm.money import Money
from retrieval.recommend.recommender import Basis, Profile, Reason, Recommender
from retrieval.recommend.training import CourseText, untrained
from tools.catalogue.matching import rank_courses
from tools.services import KnowledgeIndex, Recommenders, ToolServices

SUGGESTED = 3
#: Of so many courses that score best it is looked up what speaks against them.
_SHORTLIST = 60
#: What one obstacle takes off a course's score, in standard deviations: two of them weigh less than
#: fitting a stated goal (4), so that who wants design hears of a design course that starts late or
#: costs more, with that said, rather than of accounting.
_OBSTACLE_COST = 1.5
#: A goal that texts understand no better than this is not guessed at.
_UNDERSTOOD = 0.2
#: What fitting a goal counts at the least, of 1: with what is left for how well it fits, whatever
#: fits goes before what is only popular.
_FITS = 0.6
#: What an open lead's course counts beside a goal in words, which counts up to 1.
_ASKED_ABOUT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceRequest:
    """What advice is asked for.

    Args:
        wishes: without the budget.
        goal: in the person's own words.
        budget_minor: the most that one wants to pay.
        currency: of the budget; None means the catalogue's.
    """

    locale: Locale
    wishes: Wishes
    goal: str = ""
    budget_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Suggested:
    """A course for a person, with what speaks for it and against it."""

    detail: CourseDetail
    verdict: Verdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Courses for a person, best first.

    Args:
        basis: what the order rests on, the goal aside.
        version: of the model; 0 where none was trained.
        goal_understood: None where no goal was said.
        named: the courses that reasons speak of, by code.
    """

    suggested: Sequence[Suggested]
    basis: Basis
    version: int
    goal_understood: bool | None
    named: Mapping[str, CourseRef]


@dataclass(frozen=True, slots=True)
class _Sources:
    """What one person's advice is made of."""

    recommender: Recommender
    profile: Profile
    goal_understood: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseAdvisor:
    """Joins the model with what the catalogue knows of dates, seats and prices."""

    courses: CourseService
    knowledge: KnowledgeIndex
    recommenders: Recommenders

    async def advise(
        self, record: StudyRecord, request: AdviceRequest, *, limit: int = SUGGESTED
    ) -> Advice:
        """Return what to suggest to somebody; what is barred for them is never among it."""
        sources = await self._sources(record, request)
        codes = sources.recommender.shortlist(sources.profile, limit=_SHORTLIST)
        details = {d.course.code: d for d in await self._active(codes)}
        verdicts = self._judge(details.values(), record, request)
        costs = {
            code: _OBSTACLE_COST * len(verdict.obstacles)
            for code, verdict in verdicts.items()
            if not verdict.is_barred
        }
        ranked = sources.recommender.rank(sources.profile, limit=limit, costs=costs)
        suggested = [Suggested(details[s.code], verdicts[s.code], s.reasons) for s in ranked]
        return await self._advice(sources, suggested)

    async def explain(
        self, detail: CourseDetail, record: StudyRecord, request: AdviceRequest
    ) -> Advice:
        """Return one course as it stands for somebody, barred or not."""
        sources = await self._sources(record, request)
        code = detail.course.code
        verdict = self._judge([detail], record, request)[code]
        ranked = sources.recommender.rank(sources.profile, limit=1, costs={code: 0.0})
        reasons = ranked[0].reasons if ranked else ()
        return await self._advice(sources, [Suggested(detail, verdict, reasons)])

    async def _sources(self, record: StudyRecord, request: AdviceRequest) -> _Sources:
        said, understood = await self._goals(request)
        goals = dict.fromkeys(record.asked_about, _ASKED_ABOUT) | said
        profile = Profile(sorted(record.taken), goals, record.refused)
        recommender = await self.recommenders.current() or await self._untrained()
        return _Sources(recommender, profile, understood)

    async def _goals(self, request: AdviceRequest) -> tuple[dict[str, float], bool | None]:
        """Return how well courses fit the goal that was said, and whether it was understood."""
        if not request.goal.strip():
            return {}, None
        ranking = await rank_courses(
            self.courses, self.knowledge, request.goal, locale=request.locale
        )
        if not ranking.scores or ranking.confidence < _UNDERSTOOD:
            return {}, False
        most = max(ranking.scores.values())
        fits = {c: _FITS + (1 - _FITS) * score / most for c, score in ranking.scores.items()}
        return fits, True

    async def _active(self, codes: Sequence[str]) -> list[CourseDetail]:
        return [d for d in await self.courses.find_courses(codes) if d.course.active]

    def _judge(
        self, details: Iterable[CourseDetail], record: StudyRecord, request: AdviceRequest
    ) -> dict[str, Verdict]:
        looked_at, today = list(details), self.courses.today()
        wishes = replace(request.wishes, budget=_budget(request, looked_at))
        return {d.course.code: judge_course(d, record, wishes, today=today) for d in looked_at}

    async def _untrained(self) -> Recommender:
        listed = [course async for course in self.courses.active_courses_for_index()]
        details = await self.courses.find_courses([course.code for course in listed])
        people = [sum(c.seats_taken for c in d.cohorts) for d in details]
        return await asyncio.to_thread(untrained, [text_of(d.course) for d in details], people)

    async def _advice(self, sources: _Sources, suggested: Sequence[Suggested]) -> Advice:
        codes = dict.fromkeys(r.code for s in suggested for r in s.reasons if r.code)
        named = await self.courses.find_courses(list(codes))
        return Advice(
            suggested=suggested,
            basis=sources.recommender.basis_of(sources.profile),
            version=sources.recommender.version,
            goal_understood=sources.goal_understood,
            named={d.course.code: d.course.ref for d in named},
        )


def advisor_of(services: ToolServices) -> CourseAdvisor:
    """Return who advises with these services."""
    return CourseAdvisor(
        courses=services.courses,
        knowledge=services.knowledge,
        recommenders=services.recommenders,
    )


def text_of(course: Course) -> CourseText:
    """Return a course by what is written about it, in both languages."""
    words = (course.title.es, course.title.en, course.summary.es, course.summary.en)
    return CourseText(course.code, " ".join((*words, *course.keywords)))


def _budget(request: AdviceRequest, details: Sequence[CourseDetail]) -> Money | None:
    """Return the budget; without a currency it is meant in the one that most prices are in."""
    if request.budget_minor is None or not details:
        return None
    usual = Counter(d.course.price.currency for d in details).most_common(1)[0][0]
    return Money(request.budget_minor, request.currency or usual)
