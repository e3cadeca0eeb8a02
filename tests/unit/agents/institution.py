"""The demo institution behind a fake tool runner: real contracts and outputs, no database."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml
from pydantic import ValidationError

from agents.runtime.guards.input import fold
from agents.runtime.turn import AskedCall
from crm.actor import Actor, IdentityLevel
from crm.courses.models import Schedule
from crm.ids import SubjectId
from crm.money import Money
from tools.catalogue import SPECS
from tools.catalogue.cohorts import CohortOut, CohortsFound
from tools.catalogue.course_search import CourseFound, CoursesFound, NextCohortOut
from tools.catalogue.courses import CourseOut, CourseRefOut
from tools.catalogue.handoff import HandedOff
from tools.catalogue.knowledge import PassageOut, PassagesFound
from tools.catalogue.prices import price_out
from tools.catalogue.profile import EnrolmentOut, ProfileOut
from tools.catalogue.programmes import ProgrammeDetail, ProgrammeOut, ProgrammesFound
from tools.catalogue.scholarships import ScholarshipOut, ScholarshipsFound
from tools.catalogue.tickets import TicketOpened, TicketOut, TicketsFound
from tools.outputs import SourceOut, ToolOutput, ok_of, ref_of
from tools.policy import decide
from tools.registry import Registry
from tools.results import Failed, NeedsConfirmation, Ok, Refused, ToolResult
from tools.wording import date_text, modality_text, schedule_text

FOLDER = Path("api/demo/institution")
TODAY = date(2026, 11, 24)
REGISTRY = Registry(SPECS)
NAMESPACE = UUID("6f2b0f0e-1b7c-4d9a-9c42-6f6a7a9b1c11")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def load(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


COURSES = {c["code"]: c for c in load("courses")}
COHORTS = load("cohorts")
PROGRAMMES = load("programmes")
SCHOLARSHIPS = load("scholarships")


class FakeTools:
    """Answers like the catalogue's tools; writes down every call.

    Args:
        failing: tools that are out of order.
    """

    def __init__(
        self,
        locale: str = "es",
        level: IdentityLevel = IdentityLevel.VISITOR,
        failing: frozenset[str] = frozenset(),
    ) -> None:
        self.locale: Any = locale
        self.actor = Actor(subject_id=SubjectId(NAMESPACE), level=level)
        self.failing = failing
        self.calls: list[tuple[str, object]] = []
        self.refusals: list[tuple[str, str]] = []
        self.executed: list[UUID] = []
        self.frozen: dict[UUID, tuple[str, Any]] = {}

    def available(self) -> tuple[Any, ...]:
        return REGISTRY.tools_for(self.actor)

    async def call(self, asked: AskedCall) -> ToolResult:
        self.calls.append((asked.name, asked.arguments))
        result = self._decide(asked.name, asked.arguments, f"{asked.step}.{asked.index}")
        if isinstance(result, Refused):
            self.refusals.append((asked.name, result.code))
        return result

    async def refuse(self, asked: Sequence[AskedCall], *, code: str) -> None:
        self.refusals += [(a.name, code) for a in asked]

    async def execute_confirmed(self, confirmation_id: UUID) -> ToolResult:
        self.executed.append(confirmation_id)
        name, args = self.frozen[confirmation_id]
        return ok_of(getattr(self, f"_{name}")(args))

    def _decide(self, name: str, arguments: object, key: str) -> ToolResult:
        spec = REGISTRY.get(name)
        if spec is None:
            return Refused("tool.unknown", "There is no such tool.")
        try:
            args = spec.input.model_validate(arguments)
        except ValidationError:
            return Refused("arguments.invalid", "Invalid arguments.")
        decision = decide(spec, self.actor, confirmed=False)
        if decision.outcome == "refused":
            return Refused(decision.code, decision.message)
        if name in self.failing:
            return Failed("tool.failed", "Something broke.", retryable=True)
        if decision.outcome == "needs_approval":
            return self._freeze(spec, args, key)
        output: ToolOutput | None = getattr(self, f"_{name}")(args)
        return ok_of(output) if output else Refused("course.unknown", "There is no such course.")

    def _freeze(self, spec: Any, args: Any, key: str) -> NeedsConfirmation:
        confirmation_id = uuid5(NAMESPACE, key)
        self.frozen[confirmation_id] = (spec.name, args)
        return NeedsConfirmation(
            confirmation_id,
            spec.name,
            spec.summarise(args, self.locale),
            datetime(2026, 11, 24, 15, 30, tzinfo=UTC),
        )

    def _search_courses(self, args: Any) -> CoursesFound:
        scored = sorted(
            ((score_course(c, args.query), c["code"]) for c in COURSES.values()),
            key=lambda pair: (-pair[0], pair[1]),
        )
        fitting = [(s, COURSES[code]) for s, code in scored if self._fits(COURSES[code], args)]
        chosen = [(s, c) for s, c in fitting if s > 0 or not args.query][: args.limit]
        return CoursesFound(
            courses=[self._found(c, args.modality) for _, c in chosen],
            confidence=(min(chosen[0][0], 1.0) if args.query else 1.0) if chosen else 0.0,
            sources=[self._course_source(c) for _, c in chosen],
        )

    def _fits(self, course: dict[str, Any], args: Any) -> bool:
        following = self._next(course["code"], args.modality)
        return (
            args.level in (None, course["level"])
            and args.language in (None, course["language"])
            and (args.modality is None or following is not None)
            and (args.max_price_minor is None or course["price_minor"] <= args.max_price_minor)
        )

    def _next(self, code: str, modality: str | None = None) -> CohortOut | None:
        return next(
            (
                c
                for c in self.cohorts(code)
                if c.status == "open"
                and c.seats_left > 0
                and c.enrolment_closes >= TODAY
                and modality in (None, c.modality)
            ),
            None,
        )

    def _found(self, course: dict[str, Any], modality: str | None) -> CourseFound:
        following = self._next(course["code"], modality)
        fields = NextCohortOut.model_fields
        return CourseFound(
            code=course["code"],
            title=course["title"][self.locale],
            summary=course["summary"][self.locale],
            level=course["level"],
            price=self._price(course["price_minor"], course["currency"]),
            next_cohort=(
                NextCohortOut(**{k: v for k, v in following.model_dump().items() if k in fields})
                if following
                else None
            ),
            url=f"/courses/{course['code']}",
            ref=ref_of("course", course["code"]),
        )

    def cohorts(self, code: str) -> list[CohortOut]:
        found = [self._cohort(c) for c in COHORTS if c["course"] == code]
        return sorted((c for c in found if c.starts_on >= TODAY), key=lambda c: c.starts_on)

    def _cohort(self, c: dict[str, Any]) -> CohortOut:
        start = TODAY + timedelta(days=c["start_offset_days"])
        start += timedelta(days=-start.weekday() % 7)
        course = COURSES[c["course"]]
        end = start + timedelta(weeks=course["weeks"])
        closes = start - timedelta(days=c["enrolment_closes_days_before"])
        s = c["schedule"]
        schedule = Schedule(
            tuple(s["days"]), time.fromisoformat(s["start"]), time.fromisoformat(s["end"])
        )
        return CohortOut(
            code=c["code"],
            starts_on=start,
            starts_on_text=date_text(start, self.locale),
            ends_on=end,
            ends_on_text=date_text(end, self.locale),
            enrolment_closes=closes,
            enrolment_closes_text=date_text(closes, self.locale),
            modality=c["modality"],
            modality_text=modality_text(c["modality"], self.locale),
            campus=c["campus"],
            schedule=schedule_text(schedule, self.locale),
            seats_left=c["seats"] - c.get("seats_taken_demo", 0),
            status=c["status"],
            price=self._price(c.get("price_minor", course["price_minor"]), course["currency"]),
        )

    def _get_course(self, args: Any) -> CourseOut | None:
        c = COURSES.get(args.code)
        if c is None:
            return None
        copied = ("code", "level", "language", "hours", "weeks", "hours_per_week", "certificate")
        return CourseOut(
            **{key: c[key] for key in copied},
            title=c["title"][self.locale],
            summary=c["summary"][self.locale],
            outcomes=c["outcomes"][self.locale],
            prerequisites=[self._course_ref(code) for code in c["prerequisites"]],
            price=self._price(c["price_minor"], c["currency"]),
            cohorts=self.cohorts(c["code"])[:5],
            url=f"/courses/{c['code']}",
            ref=ref_of("course", c["code"]),
            sources=[self._course_source(c)],
        )

    def _course_ref(self, code: str) -> CourseRefOut:
        return CourseRefOut(code=code, title=COURSES[code]["title"][self.locale])

    def _list_cohorts(self, args: Any) -> CohortsFound:
        course = COURSES[args.course_code]
        return CohortsFound(
            course_code=args.course_code,
            title=course["title"][self.locale],
            cohorts=self.cohorts(args.course_code)[: args.limit],
            full=0,
            ref=ref_of("course", args.course_code),
            sources=[self._course_source(course)],
        )

    def _list_programmes(self, args: Any) -> ProgrammesFound:
        return ProgrammesFound(
            programmes=[self._programme(p) for p in PROGRAMMES],
            sources=[self._source("programme", p["code"], p["title"]) for p in PROGRAMMES],
        )

    def _programme(self, p: dict[str, Any]) -> ProgrammeOut:
        return ProgrammeOut(
            code=p["code"],
            title=p["title"][self.locale],
            level=p["level"],
            summary=p["summary"][self.locale],
            duration_months=p["duration_months"],
            credits=p["credits"],
            fee=self._price(p["fee_minor"], p["currency"]),
            ref=ref_of("programme", p["code"]),
        )

    def _get_programme(self, args: Any) -> ProgrammeDetail | None:
        p = next((p for p in PROGRAMMES if p["code"] == args.code), None)
        if p is None:
            return None
        return ProgrammeDetail(
            programme=self._programme(p),
            admission=p["admission"][self.locale],
            courses=[self._course_ref(code) for code in p["courses"]],
            url=f"/programmes/{p['code']}",
            sources=[self._source("programme", p["code"], p["title"])],
        )

    def _list_scholarships(self, args: Any) -> ScholarshipsFound:
        return ScholarshipsFound(
            scholarships=[
                ScholarshipOut(
                    code=s["code"],
                    name=s["name"][self.locale],
                    description=s["description"][self.locale],
                    eligibility=s["eligibility"][self.locale],
                    deadline=s["deadline"][self.locale],
                    percent=s["percent"],
                    cap=self._price(s["cap_minor"], s["currency"]),
                    ref=ref_of("scholarship", s["code"]),
                )
                for s in SCHOLARSHIPS
            ],
            sources=[self._source("scholarship", s["code"], s["name"]) for s in SCHOLARSHIPS],
        )

    def _search_knowledge(self, args: Any) -> PassagesFound:
        scored = [
            (overlap(args.query, f"{p.title} {p.heading} {p.text}") + often(args.query, p.text), p)
            for p in passages()
            if p.heading != p.title
        ]
        own = [(s + 0.05 * (p.language == self.locale), p) for s, p in scored]
        best = sorted(own, key=lambda pair: -pair[0])[: args.limit]
        best.sort(key=lambda pair: args.topic is not None and pair[1].topic != args.topic)
        return PassagesFound(
            passages=[p.model_copy(update={"score": min(score, 1.0)}) for score, p in best],
            confidence=min(best[0][0], 1.0),
            sources=[SourceOut(ref=p.ref, title=p.title, url=p.url, version="1") for _, p in best],
        )

    def _my_profile(self, args: Any) -> ProfileOut:
        start, end = date(2026, 10, 5), date(2026, 12, 14)
        return ProfileOut(
            full_name="Lucía Torres",
            email="lucia@correo.example",
            phone="+51 987 654 321",
            preferred_language=self.locale,
            enrolments=[
                EnrolmentOut(
                    course_code="DAT-101",
                    title=COURSES["DAT-101"]["title"][self.locale],
                    cohort_code="DAT-101-A",
                    status="confirmed",
                    starts_on=start,
                    starts_on_text=date_text(start, self.locale),
                    ends_on=end,
                    ends_on_text=date_text(end, self.locale),
                )
            ],
            tickets=[],
            consents=[],
        )

    def _my_tickets(self, args: Any) -> TicketsFound:
        opened = datetime(2026, 11, 20, 15, tzinfo=UTC)
        ticket = TicketOut(
            number=1042,
            category="payments",
            title="Cobro duplicado",
            status="open",
            opened_at=opened,
            opened_at_text=date_text(opened.date(), self.locale),
        )
        return TicketsFound(tickets=[ticket], more=False)

    def _open_ticket(self, args: Any) -> TicketOpened:
        return TicketOpened(number=1043, status="open")

    def _hand_off(self, args: Any) -> HandedOff:
        return HandedOff()

    def _price(self, minor: int, currency: str) -> Any:
        return price_out(Money(minor, currency), self.locale)

    def _course_source(self, course: dict[str, Any]) -> SourceOut:
        return self._source("course", course["code"], course["title"])

    def _source(self, kind: str, code: str, title: Mapping[str, str]) -> SourceOut:
        return SourceOut(
            ref=ref_of(kind, code),
            title=title[self.locale],
            url=f"/{kind}s/{code}",
            version=TODAY.isoformat(),
        )


def score_course(course: dict[str, Any], query: str) -> float:
    words = [w for w in re.findall(r"\w+", fold(query)) if len(w) > 1]
    titles = fold(" ".join(course["title"].values()))
    more = fold(" ".join([*course["keywords"], *course["summary"].values()]))
    hits = sum(1.0 if w in titles else 0.8 if w in more else 0.0 for w in words)
    return hits / len(words) if words else 0.0


def overlap(query: str, text: str) -> float:
    asked = stems(query)
    return len(asked & stems(text)) / max(len(asked), 1)


def often(query: str, text: str) -> float:
    return sum(fold(text).count(stem) for stem in stems(query)) / 100


def stems(text: str) -> set[str]:
    words = re.findall(r"\w+", fold(text))
    return {w[:6] for w in words if len(w) > 3} - {"necesi", "need", "puedo"}


_PASSAGES: list[PassageOut] = []


def passages() -> Sequence[PassageOut]:
    if not _PASSAGES:
        _PASSAGES.extend(_read_passages())
    return _PASSAGES


def _read_passages() -> Iterator[PassageOut]:
    for file in sorted((FOLDER / "knowledge").glob("*/*.md")):
        _, front, body = file.read_text(encoding="utf-8").split("---", 2)
        meta = yaml.safe_load(front)
        if meta["audience"] == "staff":
            continue
        for number, section in enumerate(re.split(r"(?m)^#+ ", body)[1:]):
            heading, _, text = section.partition("\n")
            if text.strip():
                yield PassageOut(
                    ref=f"kb-{meta['slug'][:30]}-{meta['language']}-{number}",
                    text=text.strip(),
                    title=meta["title"],
                    heading=heading.strip(),
                    url=f"/knowledge/{meta['slug']}@1",
                    topic=meta["topic"],
                    language=meta["language"],
                    valid_from=None,
                    score=0.0,
                )


def failing(*names: str) -> frozenset[str]:
    return frozenset(names)


assert Ok  # re-exported for tests
