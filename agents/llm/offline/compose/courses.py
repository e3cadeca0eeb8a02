"""Words about courses: facts of one, a list of several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.llm.offline.compose.groups import is_at
from agents.llm.offline.intents import Intent
from agents.llm.offline.need import Need, confidence_of, is_sure, known_code
from agents.llm.offline.reading import rows_of
from agents.runtime.brief import Locale
from agents.runtime.guards.input import fold
from agents.strings import say

Item = Mapping[str, Any]

_LISTED = 3
#: From here on what was found is worth naming, though it is not certain.
_CLOSE = 0.2


@dataclass(frozen=True, slots=True)
class _Course:
    """A course from a search or in full.

    Args:
        cohorts: those to come that one can enrol in, soonest first.
    """

    item: Item
    cohorts: tuple[Item, ...]

    @property
    def next(self) -> Item | None:
        return self.cohorts[0] if self.cohorts else None

    @property
    def price(self) -> str:
        following = self.next
        priced = following if following is not None and "price" in following else self.item
        return str(priced["price"]["text"])


def answer_course_facts(need: Need) -> str:
    """Answer what was asked of one course."""
    locale, intent = need.turn.locale, need.intent
    detail, found = need.data("get_course"), need.data("search_courses")
    if not detail and not found:
        return _without_result(need)
    course = _from_detail(detail, need.turn.now) if detail else _first_of(found)
    if course is None:
        return _not_found(need, found)
    wanted = tuple(c for c in course.cohorts if is_at(c, intent.filters))
    sentences = [*_facts(replace(course, cohorts=wanted or course.cohorts), intent, locale)]
    if course.cohorts and not wanted:
        sentences.insert(1, say(locale, "course.not_then"))
    others = "" if intent.code or detail or not need.alone else _others(need, found, course)
    return " ".join([*sentences, others]).strip()


def answer_course_search(need: Need) -> str:
    """List the courses that fit a wish, and say where they do not."""
    locale = need.turn.locale
    found, relaxed = need.data("search_courses"), need.data("search_courses", "-relaxed")
    if not found:
        made = need.result("search_courses")
        return say(locale, "course.unavailable" if made else "course.ask_topic")
    best = relaxed if is_sure(relaxed) and not is_sure(found) else found
    courses = _courses_of(best)
    if not courses or (need.intent.topic and not is_sure(best)):
        return _not_found(need, found)
    fitting = [c for c in courses if c.next is not None and is_at(c.next, need.intent.filters)]
    level = need.intent.filters.level
    easier = [c for c in courses if level and c.item["level"] == level]
    if fitting and easier and not any(c in fitting for c in easier):
        # Who begins is served better by a beginner's course at another time than by none.
        courses, fitting = [*easier[:1], *fitting], []
    chosen = _in_order(fitting or courses, need.intent)[: _LISTED if need.alone else _LISTED - 1]
    opening = "course.found" if _courses_of(found) else "course.relaxed"
    lines = [say(locale, opening), *(_line(c, locale) for c in chosen)]
    if not fitting:
        some = any(c.next is not None and is_at(c.next, need.intent.filters) for c in chosen)
        lines.append(say(locale, "course.some_then" if some else "course.no_evening"))
    return "\n".join([*lines, say(locale, "course.more")])


def _without_result(need: Need) -> str:
    asked = known_code(need.intent, need.turn) or need.intent.topic
    return say(need.turn.locale, "course.unavailable" if asked else "course.which")


def _not_found(need: Need, found: Item) -> str:
    locale, intent = need.turn.locale, need.intent
    close = confidence_of(found) >= _CLOSE
    if not (intent.named or intent.wish) and not close:
        return say(locale, "knowledge.unknown")
    said = say(locale, "course.not_found", topic=intent.topic or intent.text)
    near = [str(c.item["title"]) for c in _courses_of(found)[:2]] if close else []
    hint = say(locale, "course.nearest", titles=listed(near, locale)) if near else ""
    closing = "course.other_subject" if intent.wish else "course.which"
    return " ".join(filter(None, [said, hint, say(locale, closing)]))


def _courses_of(found: Item) -> list[_Course]:
    return [
        _Course(item, tuple(filter(None, [item.get("next_cohort")])))
        for item in rows_of(found, "courses")
    ]


def _first_of(found: Item) -> _Course | None:
    courses = _courses_of(found)
    return courses[0] if courses and is_sure(found) else None


def _from_detail(detail: Item, now: str) -> _Course:
    today = now[:10]
    enrollable = (
        c
        for c in rows_of(detail, "cohorts")
        if c["status"] == "open" and c["seats_left"] > 0 and str(c["enrolment_closes"]) >= today
    )
    return _Course(detail, tuple(enrollable))


def _facts(course: _Course, intent: Intent, locale: Locale) -> Iterator[str]:
    item, facets = course.item, _shown_facets(intent)
    opening = "course.price" if "price" in facets else "course.named"
    yield say(locale, opening, title=item["title"], price=course.price, ref=item["ref"])
    said = set[str]()
    for facet in facets:
        sentence = _sentence(facet, course, locale)
        if sentence and sentence not in said:
            said.add(sentence)
            yield sentence


def _shown_facets(intent: Intent) -> tuple[str, ...]:
    if "groups" in intent.facets:
        return tuple(
            f for f in intent.facets if f not in {"start", "schedule", "modality", "seats"}
        )
    return intent.facets or ("summary", "price", "start")


def _sentence(facet: str, course: _Course, locale: Locale) -> str:
    if facet in {"start", "schedule", "modality"}:
        return _group(course, locale)
    if facet == "seats":
        return _seats(course, locale)
    if facet == "groups":
        return _groups(course, locale)
    item = course.item
    if facet == "level":
        return say(locale, "course.level", level=say(locale, f"level.{item['level']}"))
    if facet == "summary":
        return str(item["summary"]).split(". ")[0].rstrip(".") + "."
    return _detail_sentence(facet, item, locale) if "weeks" in item else ""


def _detail_sentence(facet: str, item: Item, locale: Locale) -> str:
    if facet == "duration":
        keys = ("weeks", "hours_per_week", "hours")
        return say(locale, "course.duration", **{key: item[key] for key in keys})
    if facet == "prerequisites":
        titles = [str(p["title"]) for p in item["prerequisites"]]
        key = "course.prerequisites" if titles else "course.no_prerequisites"
        return say(locale, key, titles=listed(titles, locale))
    if facet == "content":
        outcomes = "; ".join(_lower_first(str(o)) for o in item["outcomes"])
        return say(locale, "course.content", outcomes=outcomes)
    if facet == "language":
        return say(locale, f"course.language_{item['language']}")
    if facet == "certificate":
        return say(locale, f"course.certificate_{'yes' if item['certificate'] else 'no'}")
    return ""


def _group(course: _Course, locale: Locale) -> str:
    following = course.next
    if following is None:
        return say(locale, "course.no_group")
    return say(locale, "course.start", **_when(following))


def _groups(course: _Course, locale: Locale) -> str:
    if not course.cohorts:
        return say(locale, "course.no_group")
    lines = [
        say(locale, "course.group", **_when(c), seats=c["seats_left"])
        for c in course.cohorts[:_LISTED]
    ]
    return "\n" + "\n".join(lines)


def _seats(course: _Course, locale: Locale) -> str:
    following = course.next
    if following is None:
        return say(locale, "course.no_group")
    seats = int(following["seats_left"])
    key = "course.seats_one" if seats == 1 else "course.seats_many"
    return say(locale, key, seats=seats, date=following["starts_on_text"])


def _others(need: Need, found: Item, first: _Course) -> str:
    """Name the other courses that the same words fit, so that nobody is answered past."""
    locale, words = need.turn.locale, need.intent.topic.split()
    same = [
        c
        for c in _courses_of(found)
        if c.item["code"] != first.item["code"]
        and all(word in fold(str(c.item["title"])) for word in words)
    ]
    if not same:
        return ""
    others = listed([_other(c, locale) for c in same[:2]], locale)
    return say(locale, "course.others", others=others)


def _other(course: _Course, locale: Locale) -> str:
    key = "course.other" if course.next else "course.other_closed"
    return say(locale, key, **_in_brief(course))


def _line(course: _Course, locale: Locale) -> str:
    key = "course.line" if course.next else "course.line_closed"
    return say(locale, key, **_in_brief(course))


def _in_brief(course: _Course) -> dict[str, str]:
    brief = {"title": course.item["title"], "price": course.price, "ref": course.item["ref"]}
    return brief | _when(course.next) if course.next else brief


def _when(group: Item) -> dict[str, str]:
    return {
        "date": group["starts_on_text"],
        "schedule": group["schedule"],
        "modality": group["modality_text"],
    }


def _in_order(courses: Iterable[_Course], intent: Intent) -> list[_Course]:
    filters = intent.filters
    ordered = list(courses)
    if filters.level:
        ordered.sort(key=lambda c: c.item["level"] != filters.level)
    if filters.cheap:
        ordered.sort(key=lambda c: c.item["price"]["amount_minor"])
    return ordered


def listed(items: Sequence[str], locale: Locale) -> str:
    """Return an enumeration in words."""
    joint = " and " if locale == "en" else " y "
    if joint == " y " and items and fold(items[-1]).startswith(("i", "hi")):
        joint = " e "
    return joint.join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def _lower_first(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
