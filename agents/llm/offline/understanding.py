"""From a student's new messages to what they want, several things at once if need be."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from agents.llm.offline.advice import gather_advice
from agents.llm.offline.classify import intent_of
from agents.llm.offline.intents import COURTESIES, Intent, Remembered
from agents.llm.offline.lexicon import Lexicon, lexicon
from agents.llm.offline.open_tasks import course_for_task, resume_task
from agents.llm.offline.text import Clause, clauses_of
from agents.llm.offline.topics import topic_of, without_filters
from agents.llm.offline.verdict import Guesses, settle
from agents.runtime.brief import Locale
from agents.runtime.guards.input import fold

#: What is tried again with typos repaired.
_UNSURE = frozenset({"unclear", "out_of_scope", "course_search", "knowledge"})
_MOST_INTENTS = 4
#: A guess takes 15 ms of a processor.
_MOST_GUESSED = 8
#: Told beside the request for a ticket, these are its contents.
_MATTERS = frozenset(
    {"knowledge", "out_of_scope", "unclear", "course_search", "course_facts", "abuse", "programme"}
)


def understand(
    messages: Sequence[str],
    locale: Locale,
    remembered: Remembered,
    guesses: Guesses = MappingProxyType({}),
) -> tuple[Intent, ...]:
    """Return what the new messages ask for, in their order, each thing once.

    Args:
        messages: of one turn; a thought may go on from one to the next.
        guesses: of the classifier, for what `worth_guessing` returns; the rules alone without.
    """
    lex = lexicon(locale)
    if taken := _answer_to_agent(messages, lex, remembered):
        return taken
    if taken := resume_task(messages, lex, remembered):
        return taken
    found = [
        intent
        for message in messages
        for clause in clauses_of(message, locale, lex.spellings)
        for intent in _intents_of(clause, locale, lex, remembered, guesses)
    ]
    intents = tuple(_merge(found))[:_MOST_INTENTS] or (Intent(name="unclear"),)
    if remembered.open_task == "open_ticket" and not _goes_elsewhere(intents):
        return (Intent(name="open_ticket", raw="\n".join(messages)),)
    return course_for_task(gather_advice(intents, lex, remembered), remembered)


def worth_guessing(messages: Sequence[str], locale: Locale) -> list[str]:
    """Return the clauses whose sense the classifier may know, as they were typed."""
    spellings = lexicon(locale).spellings
    said = [c.raw for message in messages for c in clauses_of(message, locale, spellings)]
    return list(dict.fromkeys(said))[:_MOST_GUESSED]


def _goes_elsewhere(intents: Sequence[Intent]) -> bool:
    """Return whether a student who was asked what happened speaks of something else instead."""
    asks = {
        "hand_off",
        "danger",
        "others_data",
        "override",
        "my_tickets",
        "my_enrolments",
        "my_profile",
    }
    return any(
        i.name in asks or (i.raw.endswith("?") and i.name in {"course_facts", "scholarships"})
        for i in intents
    )


def _answer_to_agent(
    messages: Sequence[str], lex: Lexicon, remembered: Remembered
) -> tuple[Intent, ...]:
    """Return what a short yes or no, or the text asked for, means after the agent's last words."""
    said = " ".join(" ".join(messages).split())
    short = " ".join(re.sub(r"[^\w ]", " ", fold(said)).split())
    if lex.slots["no"].match(short):
        return (Intent(name="declined", raw=said),)
    if lex.slots["yes"].match(short) and remembered.open_task == "pick_course":
        only = remembered.course() if len(remembered.courses) == 1 else ""
        return (Intent(name="course_facts" if only else "pick_course", raw=said, code=only),)
    if lex.slots["yes"].match(short) and remembered.offered:
        name = "hand_off" if remembered.offered == "handoff" else "verify"
        return (Intent(name=name, raw=said),)  # type: ignore[arg-type]
    return ()


def _intents_of(
    clause: Clause, locale: Locale, lex: Lexicon, remembered: Remembered, guesses: Guesses
) -> tuple[Intent, ...]:
    intent = intent_of(clause, locale, lex, remembered)
    if intent.name in _UNSURE:
        repaired = replace(clause, text=_repair(clause.text, lex))
        if repaired.text != clause.text:
            again = intent_of(repaired, locale, lex, remembered)
            if again.name not in {"unclear", "out_of_scope"}:
                intent = replace(again, topic=_as_typed(again.topic, clause.text, repaired.text))
    if not _leans(intent, clause, remembered):
        intent = settle(intent, guesses.get(clause.raw))
    return _one_for_each_course(intent, lex)


def _leans(intent: Intent, clause: Clause, remembered: Remembered) -> bool:
    """Return whether a clause has its sense from what came before, which no classifier sees.

    It answers a question of ours, or asks the price of something that it does not name.
    """
    answers = remembered.open_task not in {"", "pick_course"} and not clause.question
    return answers or (intent.name == "course_facts" and not (intent.topic or intent.code))


def _one_for_each_course(intent: Intent, lex: Lexicon) -> tuple[Intent, ...]:
    """Return an intent for each of the courses that one question names, or the intent as it is."""
    parts = lex.slots["joint"].split(intent.text)
    several = intent.name == "course_facts" or (
        intent.name == "enrol" and lex.slots["both"].search(intent.text)
    )
    if not several or intent.code or len(parts) != 2:
        return (intent,)
    topics = [without_filters(topic_of(part, lex), part, lex) for part in parts]
    if not all(topics):
        return (intent,)
    both = zip(parts, topics, strict=True)
    return tuple(replace(intent, text=part, topic=topic) for part, topic in both)


def _as_typed(topic: str, typed: str, repaired: str) -> str:
    """Return a topic in the student's spelling: a subject's name is no typo of one of our words."""
    spelling = dict(zip(repaired.split(), typed.split(), strict=False))
    return " ".join(spelling.get(word, word) for word in topic.split())


def _repair(text: str, lex: Lexicon) -> str:
    return re.sub(r"[a-z]{5,}", lambda found: _nearest(found.group(), lex.vocabulary), text)


def _nearest(word: str, vocabulary: frozenset[str]) -> str:
    if word in vocabulary:
        return word
    most = 1 if len(word) < 8 else 2
    near = process.extractOne(
        word, vocabulary, scorer=DamerauLevenshtein.distance, score_cutoff=most
    )
    if not near or near[0][0] != word[0] or near[0].startswith(word) or word.startswith(near[0]):
        return word
    return str(near[0])


def _merge(found: Sequence[Intent]) -> Iterator[Intent]:
    """Join what belongs together and drop courtesies beside something of substance."""
    joined: list[Intent] = []
    for intent in found:
        before = joined[-1] if joined else None
        both = _joined(before, intent) if before is not None else None
        if both is not None:
            joined[-1] = both
        elif not any(_same(intent, other) for other in joined):
            joined.append(intent)
    yield from _told_by_urgency(joined)


def _told_by_urgency(joined: Sequence[Intent]) -> Iterator[Intent]:
    """Leave only danger where there is any, and no talk beside the wish for a person."""
    danger = [i for i in joined if i.name == "danger"]
    if danger:
        yield danger[0]
        return
    substantial = [i for i in joined if i.name not in COURTESIES]
    if any(i.name == "hand_off" for i in substantial):
        upset = any(i.upset for i in substantial)
        substantial = [
            replace(i, upset=upset) if i.name == "hand_off" else i
            for i in substantial
            if i.name != "abuse" and (i.name != "out_of_scope" or i.raw.endswith("?"))
        ]
    known = [i for i in substantial if i.name != "out_of_scope" or i.raw.endswith("?")]
    yield from known or substantial or joined


def _joined(before: Intent, intent: Intent) -> Intent | None:
    """Return one intent for two that a student said in two breaths, or None."""
    names = {before.name, intent.name}
    other = intent if before.name == "open_ticket" else before
    if names == {"open_ticket"} or ("open_ticket" in names and _may_be_a_matter(other)):
        ticket = before if before.name == "open_ticket" else intent
        return replace(ticket, raw=f"{before.raw} {intent.raw}", upset=before.upset or intent.upset)
    if intent.name == "course_facts" and not intent.topic and not intent.code:
        if before.name == "knowledge" and not before.raw.endswith("?"):
            # "I want my money back. How much do I get?" asks of the rule, not of a course.
            return replace(before, raw=f"{before.raw} {intent.raw}")
        return _same_course(before, intent)
    return None


def _may_be_a_matter(intent: Intent) -> bool:
    """Return whether what stands beside the request for a ticket tells what it is about."""
    return intent.name in _MATTERS and not intent.raw.endswith("?")


def _same_course(before: Intent, intent: Intent) -> Intent | None:
    if before.name not in {"course_facts", "course_search", "enrol"}:
        return None
    if before.name == "enrol":
        return replace(before, facets=_union(before.facets, intent.facets))
    return replace(before, name="course_facts", facets=_union(before.facets, intent.facets))


def _union(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *two)))


def _same(one: Intent, two: Intent) -> bool:
    if one.name in {"knowledge", "course_facts", "course_search", "programme", "out_of_scope"}:
        return (one.name, one.text) == (two.name, two.text)
    return one.name == two.name
