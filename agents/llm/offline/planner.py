"""Which tools each intent needs next, given what this run has found so far."""

import re
from collections.abc import Callable, Iterator, Sequence

from agents.llm.offline.advice import ADVISING
from agents.llm.offline.appointments import APPOINTMENTS
from agents.llm.offline.enrolling import ENROLLING, is_verified
from agents.llm.offline.intents import Filters, Intent
from agents.llm.offline.need import Call, Need, first_course, is_sure, known_code
from agents.llm.offline.programmes import best_programme
from agents.llm.offline.reading import Conversation
from agents.llm.offline.thesaurus import REWORDINGS
from agents.llm.offline.tickets import ticket_arguments
from agents.strings import say
from tools.registry import default_registry
from tools.spec import Effect

#: What a search result tells already; anything else takes the course in full.
_IN_SEARCH = frozenset({"price", "start", "schedule", "modality", "level"})


def plan(
    intents: Sequence[Intent], turn: Conversation, available: frozenset[str]
) -> tuple[Call, ...]:
    """Return the calls to make now: everything to read first, what changes something at the end."""
    needs = [Need(place, intent, turn) for place, intent in enumerate(intents)]
    open_calls = [call for need in needs for call in _open_calls(need, available)]
    reads = tuple(call for call in open_calls if not _changes(call.tool))
    return reads or tuple(open_calls)


#: Made once a turn, whatever asks for them.
_ONCE = frozenset({"open_ticket", "hand_off"})
#: Called although it is never on offer: the policy refuses, and the audit has the attempt.
_FORBIDDEN = frozenset({"find_person"})


def _changes(tool: str) -> bool:
    """Return whether a tool's contract says that it changes something."""
    spec = default_registry().get(tool)
    return spec is not None and spec.effect is not Effect.READ


def _open_calls(need: Need, available: frozenset[str]) -> Iterator[Call]:
    wanted = _WANTED.get(need.intent.name)
    for call in wanted(need) if wanted else ():
        effect_made = call.tool in _ONCE and need.turn.last_of(call.tool) is not None
        if call.tool in available | _FORBIDDEN and not need.done(call) and not effect_made:
            yield call


def needs_detail(intent: Intent) -> bool:
    """Return whether a search's brief result leaves open what was asked of a course."""
    wanted = intent.filters
    picky = bool(wanted.part_of_day or wanted.weekend or wanted.modality)
    return picky or not set(intent.facets) <= _IN_SEARCH


def _course_facts(need: Need) -> Iterator[Call]:
    intent = need.intent
    if code := known_code(intent, need.turn):
        yield need.call("get_course", {"code": code})
    elif intent.topic:
        yield need.call("search_courses", {"query": intent.topic, "limit": 3})
        code = first_course(need.data("search_courses"))
        if code and needs_detail(intent):
            yield need.call("get_course", {"code": code})
        yield from _knowledge_instead(need)


def _course_search(need: Need) -> Iterator[Call]:
    strict = search_arguments(need.intent)
    if not strict["query"] and not set(strict) - {"query", "limit"}:
        return
    yield need.call("search_courses", strict)
    if _found_no_course(need):
        yield need.call("search_courses", {"query": need.intent.raw[:300], "limit": 3}, "-relaxed")
    yield from _knowledge_instead(need)


def _knowledge_instead(need: Need) -> Iterator[Call]:
    """Look into the documents when a search for courses found nothing certain.

    Not when the student spoke of a course as such, or of what they would like to learn: then that
    course is what there is not.
    """
    if need.intent.wish and need.intent.topic:
        return
    if _found_no_course(need) and not need.intent.named:
        yield need.call("search_knowledge", {"query": question_of(need.intent)})


def _found_no_course(need: Need) -> bool:
    """Return whether courses were looked for and none is sure to be meant."""
    found = need.result("search_courses")
    return found is not None and found.ok and not first_course(found.data)


def search_arguments(intent: Intent) -> dict[str, object]:
    """Return a search for what a student wishes; filters only where the tool has them."""
    filters: Filters = intent.filters
    limited = {
        "language": filters.language,
        "modality": filters.modality,
        "level": filters.level if not intent.topic else "",
        "max_price_minor": filters.max_price_minor,
    }
    wide = filters.part_of_day or filters.weekend or filters.cheap or filters.level
    return {
        "query": intent.topic,
        "limit": 5 if wide else 3,
        **{key: value for key, value in limited.items() if value},
    }


def _programme(need: Need) -> Iterator[Call]:
    yield need.call("list_programmes", {})
    listed = need.result("list_programmes")
    if listed is None or not listed.ok:
        return
    best = best_programme(need.intent, listed.data)
    if best:
        yield need.call("get_programme", {"code": best})
    elif need.intent.field:
        yield from _knowledge(need)


def _scholarships(need: Need) -> Iterator[Call]:
    yield need.call("list_scholarships", {})
    yield need.call("search_knowledge", {"query": question_of(need.intent)})


def _knowledge(need: Need) -> Iterator[Call]:
    # No `topic`: preferring one by our rules quotes the wrong document more often than not (.79
    # against .82 right on the demo's questions).
    yield need.call("search_knowledge", {"query": question_of(need.intent)})
    found = need.result("search_knowledge")
    if found is not None and found.ok and not is_sure(found.data) and need.intent.topic:
        yield need.call("search_courses", {"query": need.intent.raw[:300], "limit": 3})


def question_of(intent: Intent) -> str:
    """Return what to look up, with turns of talk as documents put them."""
    asked = intent.raw or intent.text
    for said, written in REWORDINGS.items():
        asked = re.sub(said, written, asked, flags=re.IGNORECASE)
    return asked[:400].ljust(2, "?")


def _my_certificates(need: Need) -> Iterator[Call]:
    yield need.call("my_certificates", {})
    if not is_verified(need):
        # When and how certificates come can be told to anybody.
        yield from _knowledge(need)


def _out_of_scope(need: Need) -> Iterator[Call]:
    if need.intent.field != "outside" and need.intent.topic:
        yield need.call("search_knowledge", {"query": question_of(need.intent)})
        yield need.call("search_courses", {"query": need.intent.raw[:300], "limit": 3})


def _profile(need: Need) -> Iterator[Call]:
    yield need.call("my_profile", {})


def _tickets(need: Need) -> Iterator[Call]:
    yield need.call("my_tickets", {})


def _open_ticket(need: Need) -> Iterator[Call]:
    arguments = ticket_arguments(need.intent, need.turn)
    if arguments:
        yield need.call("open_ticket", arguments)


def _data_rights(need: Need) -> Iterator[Call]:
    # Whoever carries it out sees to it that the right person's data are meant.
    yield need.call(
        "open_ticket",
        {
            "category": "other",
            "title": say(need.turn.locale, "rights.title"),
            "description": " ".join(need.intent.raw.split())[:2_000].ljust(3, "."),
        },
    )


def _hand_off(need: Need) -> Iterator[Call]:
    if need.turn.status == "waiting":
        return
    said = " ".join(need.turn.new)[:240]
    yield need.call("hand_off", {"reason": _reason(need, "asked", said=said)})


def _reason(need: Need, why: str, **values: str) -> str:
    """Say in the conversation's language why a person is needed; its advisor speaks it."""
    return say(need.turn.locale, f"handoff.reason_{why}", **values)[:300]


def _danger(need: Need) -> Iterator[Call]:
    if need.turn.status != "waiting":
        # Without details: the reason is read by more people than the conversation.
        yield need.call("hand_off", {"reason": _reason(need, "danger")})


def _others_data(need: Need) -> Iterator[Call]:
    name = "".join(c for c in need.intent.person if c.isalpha() or c in " -'")[:60].strip()
    yield need.call("find_person", {"name": name if len(name) > 1 else "another person"})


_WANTED: dict[str, Callable[[Need], Iterator[Call]]] = {
    "course_facts": _course_facts,
    "course_search": _course_search,
    "programme": _programme,
    "scholarships": _scholarships,
    "knowledge": _knowledge,
    "out_of_scope": _out_of_scope,
    "my_certificates": _my_certificates,
    "my_profile": _profile,
    "my_enrolments": _profile,
    "my_tickets": _tickets,
    "open_ticket": _open_ticket,
    "data_rights": _data_rights,
    "hand_off": _hand_off,
    "danger": _danger,
    "others_data": _others_data,
    **ENROLLING,
    **APPOINTMENTS,
    **ADVISING,
}
