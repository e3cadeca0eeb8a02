"""Answers every intent of a turn in one reply."""

from collections.abc import Callable, Iterator, Sequence

from agents.llm.offline.compose import appointments
from agents.llm.offline.compose.advice import ADVICE
from agents.llm.offline.compose.documents import (
    answer_certificates,
    answer_courses,
    answer_knowledge,
    answer_out_of_scope,
    answer_programme,
    answer_scholarships,
)
from agents.llm.offline.compose.enrolling import ANSWERS
from agents.llm.offline.compose.own import (
    answer_contact,
    answer_danger,
    answer_data_rights,
    answer_enrolments,
    answer_hand_off,
    answer_open_ticket,
    answer_profile,
    answer_tickets,
    answer_verify,
)
from agents.llm.offline.compose.payments import answer_my_payments, answer_pay
from agents.llm.offline.intents import Intent
from agents.llm.offline.need import Need
from agents.llm.offline.quoting import Embed
from agents.llm.offline.reading import Conversation
from agents.strings import say

_PLAIN: dict[str, Callable[[Need], str]] = {
    "my_profile": answer_profile,
    "my_enrolments": answer_enrolments,
    "my_tickets": answer_tickets,
    "open_ticket": answer_open_ticket,
    "data_rights": answer_data_rights,
    "verify": answer_verify,
    "hand_off": answer_hand_off,
    "danger": answer_danger,
    "stop_contact": answer_contact,
    "allow_contact": answer_contact,
    "my_payments": answer_my_payments,
    "pay": answer_pay,
    **ANSWERS,
    **appointments.ANSWERS,
    **ADVICE,
}
_QUOTING: dict[str, Callable[[Need, Embed | None], str]] = {
    "my_certificates": answer_certificates,
    "course_facts": answer_courses,
    "course_search": answer_courses,
    "programme": answer_programme,
    "knowledge": answer_knowledge,
    "out_of_scope": answer_out_of_scope,
    "scholarships": answer_scholarships,
}
_TALK = {
    "greeting": "talk.greeting",
    "thanks": "talk.thanks",
    "goodbye": "talk.goodbye",
    "about_agent": "talk.about",
    "abuse": "talk.abuse",
    "unclear": "talk.unclear",
    "declined": "talk.declined",
    "pick_course": "talk.which_one",
    "override": "talk.override",
    "others_data": "talk.others_data",
}


def compose(intents: Sequence[Intent], turn: Conversation, embed: Embed | None) -> str:
    """Return the reply, with citation and action marks."""
    parts = list(dict.fromkeys(_parts(intents, turn, embed)))
    if turn.pending is not None and turn.pending["tool"] not in {r.tool for r in turn.results}:
        parts.append(say(turn.locale, "confirmation.pending"))
    return "\n\n".join(parts)


def _parts(intents: Sequence[Intent], turn: Conversation, embed: Embed | None) -> Iterator[str]:
    if any(i.upset and i.name != "abuse" for i in intents):
        yield say(turn.locale, "talk.sorry")
    for place, intent in enumerate(intents):
        yield _answer(Need(place, intent, turn, alone=len(intents) == 1), embed)


def _answer(need: Need, embed: Embed | None) -> str:
    name, locale = need.intent.name, need.turn.locale
    if name in _PLAIN:
        return _PLAIN[name](need)
    if name in _QUOTING:
        return _QUOTING[name](need, embed)
    return say(locale, _TALK[name], institution=need.turn.institution)
