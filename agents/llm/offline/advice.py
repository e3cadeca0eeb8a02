"""Understands the wish for advice on what to study, and which tools that takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from agents.llm.offline.intents import Intent, IntentName, Remembered
from agents.llm.offline.lexicon import Lexicon, lexicon
from agents.llm.offline.moments import weekdays_in
from agents.llm.offline.need import Call, Need, first_course
from agents.llm.offline.topics import filters_of, goal_in
from agents.runtime.guards.input import fold

#: The task while a question of ours is open.
TASK = "recommend"
#: Said beside the wish for advice, or in answer to a question of ours, these tell more of it.
_TELLING: frozenset[IntentName] = frozenset({"recommend", "course_search", "unclear"})
#: These do so only where a question of ours was open.
_ANSWERING: frozenset[IntentName] = frozenset({"out_of_scope", "course_facts"})
#: What a course is asked for in words that may as well be a wish.
_WISHED_FACETS = frozenset({"modality", "schedule", "level"})
_WEEKEND = ["sat", "sun"]


def gather_advice(
    intents: Sequence[Intent], lex: Lexicon, remembered: Remembered
) -> tuple[Intent, ...]:
    """Return one wish for advice where several clauses make it up, or answer a question of ours."""
    asked = remembered.open_task == TASK
    telling = [i for i in intents if _tells_more(i, remembered, asked=asked)]
    wished = any(i.name == "recommend" for i in intents)
    if not telling or not (wished or (asked and len(telling) == len(intents))):
        return tuple(intents)
    text = " ".join(i.text for i in telling)
    advice = Intent(
        name="recommend",
        raw=" ".join(i.raw for i in telling),
        text=text,
        topic=goal_in(text, lex),
        filters=filters_of(text, lex),
        field="asked" if asked else "",
    )
    return (advice, *(i for i in intents if i not in telling))


def _tells_more(intent: Intent, remembered: Remembered, *, asked: bool) -> bool:
    if intent.name == "recommend":
        return True
    if intent.code or (asked and _listed_course(intent.topic, remembered)):
        return False
    if intent.name in _TELLING:
        return True
    open_words = asked and "?" not in intent.raw and intent.name in _ANSWERING
    return open_words and _WISHED_FACETS.issuperset(intent.facets)


def _listed_course(topic: str, remembered: Remembered) -> str:
    """Return the code of the one course spoken of that the words name, or nothing."""
    words = topic.split()
    named = [
        str(course["code"])
        for course in remembered.courses
        if words and set(words) <= set(fold(str(course["title"])).split())
    ]
    return named[0] if len(named) == 1 else ""


def advice_arguments(need: Need) -> dict[str, object]:
    """Return what is asked for, with what was said of it before."""
    intent, lex = need.intent, lexicon(need.turn.locale)
    said: dict[str, object] = {
        "goal": intent.topic[:300],
        "days": _days_in(intent, lex),
        "part_of_day": intent.filters.part_of_day,
        "modality": intent.filters.modality,
        "language": intent.filters.language,
        "budget_minor": intent.filters.max_price_minor,
    }
    return {**need.turn.remembered.advice, **{name: v for name, v in said.items() if v}}


def _days_in(intent: Intent, lex: Lexicon) -> list[str]:
    named = weekdays_in(intent.text, lex)
    return named or (_WEEKEND if intent.filters.weekend else [])


def asks_first(need: Need) -> bool:
    """Return whether to ask what somebody likes before anything is looked up.

    Of whom something may be known, the tool is asked first.
    """
    known = need.turn.identity_level == "verified" or need.intent.field == "asked"
    return not known and not advice_arguments(need)


def _recommend(need: Need) -> Iterator[Call]:
    if not asks_first(need):
        yield need.call("recommend_courses", advice_arguments(need))


def _why_not(need: Need) -> Iterator[Call]:
    code = need.intent.code or _listed_course(need.intent.topic, need.turn.remembered)
    if not code and need.intent.topic:
        yield need.call("search_courses", {"query": need.intent.topic, "limit": 3})
        code = first_course(need.data("search_courses"))
    if code:
        yield need.call("explain_course", {**need.turn.remembered.advice, "code": code})


def _dismiss(need: Need) -> Iterator[Call]:
    if not (code := dismissed_course(need)):
        return
    yield need.call("dismiss_course", {"code": code})
    done = need.result("dismiss_course")
    if done is not None and done.ok:
        yield need.call("recommend_courses", dict(need.turn.remembered.advice))


def dismissed_course(need: Need) -> str:
    """Return the code of the course that is turned down; empty where the words leave a choice."""
    remembered = need.turn.remembered
    named = need.intent.code or _listed_course(need.intent.topic, remembered)
    return named or (remembered.course() if len(remembered.courses) == 1 else "")


ADVISING: Mapping[str, Callable[[Need], Iterator[Call]]] = {
    "recommend": _recommend,
    "why_not": _why_not,
    "dismiss": _dismiss,
}
