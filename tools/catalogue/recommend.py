"""The tools that recommend courses: to the student who asks, and to staff for anybody."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from crm.actor import Actor, Role
from crm.courses.advice.models import Obstacle, ObstacleCode
from crm.courses.models import CourseLevel, CourseRef, Locale
from crm.ids import PersonId
from retrieval.recommend.recommender import Basis, ReasonKind
from tools.catalogue.cohorts import get_active_course
from tools.catalogue.course_search import NextCohortOut, next_cohort_out
from tools.catalogue.courses import CourseRefOut
from tools.catalogue.prices import PriceOut, price_out
from tools.catalogue.sources import course_source
from tools.catalogue.study_wishes import StudyWishes
from tools.course_advice import Advice, Suggested, advisor_of
from tools.outputs import SourceOut, ToolOutput
from tools.services import ToolServices
from tools.spec import Call, ToolSpec, description_of


class RecommendCourses(StudyWishes):
    """What the student wants, as far as they said it."""


class ExplainCourse(StudyWishes):
    """Which course, and what the student wants."""

    code: str = Field(max_length=40, description="As search_courses returns it.")


class RecommendForPerson(StudyWishes):
    """For whom, and what is known of their wishes."""

    person_id: UUID = Field(description="As find_person or a lead has it.")

    def recorded(self) -> dict[str, object]:
        """Return for whom: the words may be theirs."""
        return {"person_id": str(self.person_id)}


class ReasonOut(BaseModel):
    """What speaks for a course.

    Args:
        kind: `goals`: it fits the goal; `taken`: people who took `course` went on with it;
            `resembles`: it is like `course`, which they took; `popular`: many take it.
    """

    kind: ReasonKind
    course: CourseRefOut | None = None


class ObstacleOut(BaseModel):
    """What speaks against a course.

    Args:
        code: `prerequisites`: `courses` come first; `clash`: `courses` meet at the same time;
            `budget` and `currency`: it costs `price`; `full`, `no_group`, `schedule`, `modality`,
            `language`, `taken`, `refused`.
    """

    code: ObstacleCode
    courses: list[CourseRefOut] = Field(default_factory=list)
    price: PriceOut | None = None


class SuggestionOut(BaseModel):
    """A course with what speaks for it and against it.

    Args:
        level: of the course; it says nothing of the student's.
        group: the one that fits best; null where there is none to enrol in.
    """

    code: str
    title: str
    summary: str
    level: CourseLevel
    language: Locale
    price: PriceOut
    group: NextCohortOut | None
    reasons: list[ReasonOut]
    against: list[ObstacleOut]
    url: str
    ref: str


class CoursesRecommended(ToolOutput):
    """Courses for somebody, best first.

    Args:
        basis: what the order rests on besides the goal: what others took after the same courses
            (`trained`), what courses say (`content`), or what many take (`popularity`).
        model_version: 0 where no model was trained yet.
        goal_understood: false where the goal fits no course; null where none was said.
        unsaid: what would help to know.
    """

    suggestions: list[SuggestionOut]
    basis: Basis
    model_version: int
    goal_understood: bool | None
    unsaid: list[Literal["goal", "time", "budget"]]


class RecommendedFor(CoursesRecommended):
    """Courses for a person, for staff."""

    person_id: UUID

    def recorded(self) -> dict[str, object]:
        """Return for whom, and which: the reasons tell what the person took."""
        return {"person_id": str(self.person_id), "courses": [s.code for s in self.suggestions]}

    def others_shown(self) -> tuple[UUID, ...]:
        """Return whose record the reasons show."""
        return (self.person_id,)


class CourseExplained(ToolOutput):
    """One course for the student: all that speaks for it and against it."""

    course: SuggestionOut
    goal_understood: bool | None


async def recommend_courses(call: Call[RecommendCourses]) -> CoursesRecommended:
    """Recommend three courses to this student, with what speaks for and against each.

    Use it when somebody wants advice on what to study. It knows what a verified student took and
    refused; pass on what they said of goal, time and budget, and ask first only for what is missing
    (`unsaid`), two questions at most. Say every `against` beside its course: full, over the budget,
    at another time. Never say which level the student has.
    """
    services, locale = call.services, call.context.locale
    record = await services.advice.own_record(
        conversation_id=call.context.conversation_id, actor=call.context.actor
    )
    advice = await advisor_of(services).advise(record, call.args.request(locale))
    return recommended_out(advice, call.args, services, locale)


async def explain_course(call: Call[ExplainCourse]) -> CourseExplained:
    """Say what speaks for and against one course for this student.

    Use it for "why not X" or "does X suit me". An empty `against` means that nothing does: others
    fitted better.
    """
    services, locale = call.services, call.context.locale
    detail = await get_active_course(services.courses, call.args.code)
    record = await services.advice.own_record(
        conversation_id=call.context.conversation_id, actor=call.context.actor
    )
    advice = await advisor_of(services).explain(detail, record, call.args.request(locale))
    source = course_source(detail.course, locale, read_on=services.courses.today())
    return CourseExplained(
        course=_suggestion(advice.suggested[0], advice, source, locale),
        goal_understood=advice.goal_understood,
        sources=[source],
    )


async def recommend_for_person(call: Call[RecommendForPerson]) -> RecommendedFor:
    """Recommend three courses for a person or a lead, with what speaks for and against each.

    For staff only. It uses what the person took, refused and asked about.
    """
    return await recommendations_for(
        call.args.person_id, call.args, call.services, call.context.locale, actor=call.context.actor
    )


async def recommendations_for(
    person_id: UUID, wishes: StudyWishes, services: ToolServices, locale: Locale, *, actor: Actor
) -> RecommendedFor:
    """Return what to recommend to a person, for staff; what they see is audited.

    Raises: Denied("auth.role"); NotFound("person.unknown").
    """
    record = await services.advice.record_of(PersonId(person_id), actor=actor)
    advice = await advisor_of(services).advise(record, wishes.request(locale))
    found = recommended_out(advice, wishes, services, locale)
    return RecommendedFor(**dict(found), person_id=person_id)


def recommended_out(
    advice: Advice, wishes: StudyWishes, services: ToolServices, locale: Locale
) -> CoursesRecommended:
    """Return advice for machines and in words."""
    today = services.courses.today()
    sources = [course_source(s.detail.course, locale, read_on=today) for s in advice.suggested]
    found = zip(advice.suggested, sources, strict=True)
    return CoursesRecommended(
        suggestions=[_suggestion(s, advice, source, locale) for s, source in found],
        basis=advice.basis,
        model_version=advice.version,
        goal_understood=advice.goal_understood,
        unsaid=wishes.unsaid(),
        sources=sources,
    )


def _suggestion(
    suggested: Suggested, advice: Advice, source: SourceOut, locale: Locale
) -> SuggestionOut:
    course, group = suggested.detail.course, suggested.verdict.group
    return SuggestionOut(
        code=course.code,
        title=course.title.of(locale),
        summary=course.summary.of(locale),
        level=course.level,
        language=course.language,
        price=price_out(group.price if group else course.price, locale),
        group=next_cohort_out(group, locale) if group else None,
        reasons=[
            ReasonOut(kind=r.kind, course=_ref(advice.named[r.code], locale) if r.code else None)
            for r in suggested.reasons
            if r.code is None or r.code in advice.named
        ],
        against=[_obstacle(o, locale) for o in suggested.verdict.obstacles],
        url=source.url,
        ref=source.ref,
    )


def _obstacle(obstacle: Obstacle, locale: Locale) -> ObstacleOut:
    return ObstacleOut(
        code=obstacle.code,
        courses=[_ref(course, locale) for course in obstacle.courses],
        price=price_out(obstacle.price, locale) if obstacle.price else None,
    )


def _ref(course: CourseRef, locale: Locale) -> CourseRefOut:
    return CourseRefOut(code=course.code, title=course.title.of(locale))


RECOMMEND_COURSES = ToolSpec(
    name="recommend_courses",
    version=1,
    description=description_of(recommend_courses),
    input=RecommendCourses,
    output=CoursesRecommended,
    handler=recommend_courses,
    roles=frozenset[Role](),
    personal=True,
    examples=({"goal": "diseño", "part_of_day": "evening"}, {"budget_minor": 20_000}),
)
EXPLAIN_COURSE = ToolSpec(
    name="explain_course",
    version=1,
    description=description_of(explain_course),
    input=ExplainCourse,
    output=CourseExplained,
    handler=explain_course,
    roles=frozenset[Role](),
    personal=True,
    examples=({"code": "DAT-101", "part_of_day": "evening"},),
)
RECOMMEND_FOR_PERSON = ToolSpec(
    name="recommend_for_person",
    version=1,
    description=description_of(recommend_for_person),
    input=RecommendForPerson,
    output=RecommendedFor,
    handler=recommend_for_person,
    students=False,
    personal=True,
    examples=({"person_id": "0192f0c8-0000-7000-8000-000000000001", "goal": "datos"},),
)
