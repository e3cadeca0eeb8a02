"""Decides what one clause wants, from the surest signs to the weakest."""

from collections.abc import Callable

from agents.llm.offline.intents import Filters, Intent, IntentName, Remembered
from agents.llm.offline.lexicon import Lexicon
from agents.llm.offline.text import Clause
from agents.llm.offline.topics import (
    course_code_in,
    filters_of,
    goal_in,
    means_one_course,
    names_a_course,
    names_a_subject,
    person_in,
    referred_course,
    topic_of,
    without_filters,
)
from agents.runtime.brief import Locale
from agents.runtime.guards.input import has_injection_signs

#: A course has these whatever the student wishes; the other facets may be wishes, too.
_HARD_FACETS = frozenset(
    {"price", "start", "seats", "duration", "prerequisites", "content", "certificate", "groups"}
)
#: Fields whose words hardly occur elsewhere.
_OUR_FIELDS = frozenset({"admission", "payments", "refunds", "certificates"})
#: Own affairs and requests, surest first.
_DIRECT: tuple[IntentName, ...] = (
    "cancel_appointment", "move_appointment", "my_appointments", "appointment",
    "hand_off", "about_agent", "my_tickets", "open_ticket", "stop_contact", "allow_contact",
    "leave_waitlist", "my_waitlist", "accept_offer", "join_waitlist", "transfer", "withdraw", "pay",
    "my_payments", "my_certificates", "my_enrolments", "my_profile", "verify",
)  # fmt: skip
_COURTESY: tuple[IntentName, ...] = ("greeting", "thanks", "goodbye")


def intent_of(clause: Clause, locale: Locale, lex: Lexicon, remembered: Remembered) -> Intent:
    """Return what a clause wants."""
    read = _Reading(clause, locale, lex, remembered)
    for rule in _RULES:
        intent = rule(read)
        if intent is not None:
            return intent
    return read.intent("unclear")


class _Reading:
    """A clause with everything that rules ask of it, worked out once."""

    def __init__(
        self, clause: Clause, locale: Locale, lex: Lexicon, remembered: Remembered
    ) -> None:
        self.clause, self.locale, self.lex, self.remembered = clause, locale, lex, remembered
        self.courtesies = [n for n in _COURTESY if lex.intents[n].search(clause.text)]
        self.text = self._without_courtesies()
        self.wish = bool(lex.slots["wish"].search(clause.text))
        self.upset = bool(lex.intents["abuse"].search(clause.text))
        self.facets = tuple(n for n, cue in lex.facets.items() if cue.search(self.text))
        self.fields = tuple(n for n, cue in lex.knowledge.items() if cue.search(self.text))
        self.filters = filters_of(self.text, lex)
        self.of_a_subject = names_a_subject(self.text, locale)
        self.explicit = names_a_course(self.text, locale)
        referred = referred_course(self.text, lex, remembered)
        self.code = course_code_in(self.text) or referred
        topic = without_filters(topic_of(self.text, lex), self.text, lex)
        self.topic = "" if referred else topic

    @property
    def own_affair(self) -> bool:
        """Return whether the clause asks of the student's own certificate, connection, payment."""
        own = self.lex.slots["own"].search(self.text)
        return bool(own and self.fields and not self.of_a_subject)

    def has(self, name: str) -> bool:
        """Return whether the clause has an intent's cue."""
        return bool(self.lex.intents[name].search(self.text))

    def intent(self, name: IntentName, **values: object) -> Intent:
        """Return an intent with what the clause says."""
        known: dict[str, object] = {
            "raw": self.clause.raw.strip(),
            "text": self.text,
            "topic": self.topic,
            "code": self.code,
            "facets": self.facets,
            "filters": self.filters,
            "field": self.fields[0] if self.fields else "",
            "named": self.of_a_subject,
            "upset": self.upset,
            "wish": self.wish,
        }
        return Intent(name=name, **{**known, **values})  # type: ignore[arg-type]

    def _without_courtesies(self) -> str:
        text = self.clause.text
        for name in self.courtesies:
            text = self.lex.intents[name].sub(" ", text)
        return " ".join(text.strip(" ,.!?").split())


def _nothing_but_courtesy(read: _Reading) -> Intent | None:
    rest = topic_of(read.text, read.lex)
    busy = read.facets or read.fields or any(read.has(n) for n in _DIRECT) or read.upset
    busy = busy or any(read.has(n) for n in ("search", "programme", "scholarships", "enrol"))
    if read.courtesies and not busy and len(rest.split()) <= 1:
        return read.intent(read.courtesies[-1])
    return None


def _danger(read: _Reading) -> Intent | None:
    return read.intent("danger") if read.has("danger") else None


def _others_or_override(read: _Reading) -> Intent | None:
    person = person_in(read.clause, read.lex)
    injected = has_injection_signs(read.clause.raw)
    if person:
        return read.intent("others_data", person=person)
    return read.intent("override") if injected else None


def _code(read: _Reading) -> Intent | None:
    named = read.lex.slots["code_typed"].search(read.clause.text)
    waited = read.remembered.offered == "verify" or not read.text.isdigit()
    return read.intent("verify", field="code") if named and waited else None


def _direct(read: _Reading) -> Intent | None:
    # "How long until you answer a ticket" asks about the rules and opens nothing.
    passes_by = {"open_ticket"} if read.lex.slots["how_long"].match(read.text) else set()
    return next((read.intent(n) for n in _DIRECT if read.has(n) and n not in passes_by), None)


def _abuse(read: _Reading) -> Intent | None:
    substance = read.fields or read.facets or read.has("scholarships") or read.has("programme")
    return read.intent("abuse") if read.upset and not substance else None


def _outside(read: _Reading) -> Intent | None:
    ours = (
        bool(read.lex.domain.search(read.text))
        or bool(_OUR_FIELDS & set(read.fields))
        or read.has("scholarships")
        or read.has("programme")
    )
    if read.lex.outside.search(read.text) and not ours:
        return read.intent("out_of_scope", field="outside")
    return None


def _advice(read: _Reading) -> Intent | None:
    order: tuple[IntentName, ...] = ("why_not", "dismiss", "recommend")
    if not read.remembered.advice:
        order = ("why_not", "recommend")
    if read.has("scholarships") or read.has("programme"):
        return None
    name = next((n for n in order if read.has(n)), None)
    return read.intent(name, topic=goal_in(read.text, read.lex)) if name else None


def _offers(read: _Reading) -> Intent | None:
    order: tuple[IntentName, ...] = ("scholarships", "programme", "enrol")
    return next((read.intent(n) for n in order if read.has(n)), None)


def _facts(read: _Reading) -> Intent | None:
    hard = bool(_HARD_FACETS & set(read.facets))
    wishes = read.has("search") and not means_one_course(read.text, read.locale)
    if not read.facets or (wishes and not hard) or read.own_affair:
        return None
    if read.explicit or read.code or not read.fields:
        return read.intent("course_facts")
    return None


def _knowledge(read: _Reading) -> Intent | None:
    wishes = read.has("search") and read.explicit and not read.clause.question
    if not read.fields or (wishes and not read.own_affair):
        return None
    return read.intent("knowledge")


def _search(read: _Reading) -> Intent | None:
    wishes = read.has("search") or read.explicit or read.filters != Filters()
    return read.intent("course_search") if wishes else None


def _leftover(read: _Reading) -> Intent | None:
    words = len(read.topic.split())
    if not words:
        return read.intent("course_facts") if read.code else None
    if words <= 3 and not read.clause.question and len(read.text.split()) <= 4:
        return read.intent("course_search")
    ours = read.lex.domain.search(read.text)
    return read.intent("knowledge" if ours else "out_of_scope")


_RULES: tuple[Callable[[_Reading], Intent | None], ...] = (
    _danger,
    _others_or_override,
    _nothing_but_courtesy,
    _code,
    _direct,
    _abuse,
    _outside,
    _advice,
    _offers,
    _facts,
    _knowledge,
    _search,
    _leftover,
)
