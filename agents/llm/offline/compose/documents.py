"""Words about the institution's documents, programmes and scholarships."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.offline.compose.courses import (
    answer_course_facts,
    answer_course_search,
    listed,
)
from agents.llm.offline.compose.own import answer_my_certificates
from agents.llm.offline.intents import Intent
from agents.llm.offline.lexicon import lexicon
from agents.llm.offline.need import Need, confidence_of, is_sure
from agents.llm.offline.planner import question_of
from agents.llm.offline.programmes import programmes_of, stem
from agents.llm.offline.quoting import Embed, quote
from agents.llm.offline.reading import rows_of
from agents.llm.offline.text import plain
from agents.runtime.guards.input import fold
from agents.strings import say

Item = Mapping[str, Any]

#: Programmes that are listed with length and fee; more are named alone.
_LINES = 4
_MOST_PROGRAMMES = 10
#: Passages that are read whatever document they are of.
_READ = 3
_QUOTE_WORDS, _SHORT_QUOTE_WORDS = 55, 32
#: What can be done besides reading, by the field that was asked about.
_HINTS = {"technical": "knowledge.ticket_hint", "refunds": "knowledge.withdraw_hint"}
#: Courses are named to somebody who did not ask for one only when they fit well.
_SURE_UNASKED = 0.6


def answer_knowledge(need: Need, embed: Embed | None) -> str:
    """Quote the best passage, or say that none answers."""
    answer = _quoted(need, embed)
    if not answer and is_sure(need.data("search_courses")):
        answer = answer_course_search(need)
    return answer or say(need.turn.locale, "knowledge.unknown")


def answer_courses(need: Need, embed: Embed | None) -> str:
    """Answer about courses, or quote a document where the words mean no course after all."""
    instead = need.data("search_knowledge")
    no_course = not is_sure(need.data("search_courses")) and not need.data("get_course")
    if instead and no_course and (answer := _quoted(need, embed)):
        return answer
    if need.intent.name == "course_search":
        return answer_course_search(need)
    return answer_course_facts(need)


def answer_certificates(need: Need, embed: Embed | None) -> str:
    """List the student's certificates; tell who is not known yet how certificates come."""
    own = answer_my_certificates(need)
    return "\n\n".join(filter(None, [_quoted(need, embed), own]))


def answer_out_of_scope(need: Need, embed: Embed | None) -> str:
    """Quote a passage or name courses that answer after all, or decline."""
    courses = confidence_of(need.data("search_courses"))
    documents = confidence_of(need.data("search_knowledge"))
    asks = need.intent.raw.endswith("?")
    if courses >= _SURE_UNASKED and courses >= documents and not asks:
        return answer_course_search(need)
    answer = _quoted(need, embed)
    if not answer and courses >= _SURE_UNASKED:
        answer = answer_course_search(need)
    return answer or say(need.turn.locale, "talk.out_of_scope", institution=need.turn.institution)


def _quoted(need: Need, embed: Embed | None) -> str:
    locale = need.turn.locale
    found = need.data("search_knowledge")
    passages = rows_of(found, "passages")
    if not passages or not is_sure(found):
        return ""
    most = _QUOTE_WORDS if need.alone else _SHORT_QUOTE_WORDS
    question = plain(question_of(need.intent), lexicon(locale).spellings)
    text, passage = quote(
        question, _worth_reading(passages), embed, most_words=most, language=locale
    )
    key = "knowledge.quote" if passage["language"] == locale else "knowledge.other_language"
    title = str(passage["title"])
    answer = say(locale, key, title=title, quote=text, ref=passage["ref"])
    hint = _HINTS.get(need.intent.field)
    return f"{answer} {say(locale, hint)}" if hint else answer


def _worth_reading(passages: Sequence[Item]) -> Sequence[Item]:
    """Return the first passages, and later ones of the document that was found first."""
    first = passages[0]["title"]
    return [p for place, p in enumerate(passages) if place < _READ or p["title"] == first]


def answer_programme(need: Need, embed: Embed | None) -> str:
    """Tell of one programme, quote a rule about them, or list those of the kind asked for."""
    locale, detail = need.turn.locale, need.data("get_programme")
    if detail:
        return _programme(detail, need)
    if answer := _quoted(need, embed):
        return answer
    found = programmes_of(need.intent, need.data("list_programmes"))
    if not found:
        return say(locale, "programme.unavailable")
    lines = [_programme_line(p, need, brief=len(found) > _LINES) for p in found[:_MOST_PROGRAMMES]]
    closing = "programme.narrow" if len(found) > len(lines) else "programme.more"
    return "\n".join([say(locale, "programme.list"), *lines, say(locale, closing)])


def _programme_line(item: Item, need: Need, *, brief: bool) -> str:
    key = "programme.name" if brief else "programme.line"
    return say(need.turn.locale, key, **_programme_values(item))


def _programme(detail: Item, need: Need) -> str:
    locale = need.turn.locale
    if "content" in need.intent.facets:
        titles = [str(c["title"]) for c in detail["courses"]]
        more = say(locale, "programme.courses", titles=listed(titles, locale))
    else:
        more = say(locale, "programme.admission", admission=detail["admission"])
    return f"{say(locale, 'programme.detail', **_programme_values(detail['programme']))} {more}"


def _programme_values(item: Item) -> dict[str, object]:
    return {
        "title": item["title"],
        "months": item["duration_months"],
        "fee": item["fee"]["text"],
        "ref": item["ref"],
    }


def answer_scholarships(need: Need, embed: Embed | None) -> str:
    """Tell of the scholarship that was asked for, or list them; discounts stand in documents."""
    locale = need.turn.locale
    listed_ones = rows_of(need.data("list_scholarships"), "scholarships")
    fitting = _fitting(need.intent, listed_ones)
    if len(fitting) == 1:
        return _scholarship(fitting[0], need)
    if not _asks_which(need.intent) and (answer := _quoted(need, embed)):
        return answer
    if not listed_ones:
        return say(locale, "scholarship.unavailable")
    lines = [
        say(locale, "scholarship.line", **_scholarship_values(s))
        for s in listed_ones[: 5 if need.alone else 3]
    ]
    opening = "scholarship.some" if len(lines) < len(listed_ones) else "scholarship.list"
    return "\n".join([say(locale, opening), *lines, say(locale, "scholarship.more")])


def _asks_which(intent: Intent) -> bool:
    """Return whether the question is which scholarships there are, and not how they work."""
    return bool(_WHICH.search(intent.text)) or len(intent.text.split()) <= 2


def _scholarship(item: Item, need: Need) -> str:
    return say(
        need.turn.locale,
        "scholarship.detail",
        **_scholarship_values(item),
        eligibility=item["eligibility"],
        deadline=item["deadline"],
    )


def _scholarship_values(item: Item) -> dict[str, object]:
    return {
        "name": item["name"],
        "percent": item["percent"],
        "cap": item["cap"]["text"],
        "ref": item["ref"],
    }


def _fitting(intent: Intent, scholarships: Sequence[Item]) -> list[Item]:
    """Return the scholarships that share most words with the question, none if none does."""
    if not scholarships:
        return []
    said = {stem(word) for word in intent.topic.split() if len(word) > 3} - _COMMON
    scored = [(len(said & _words_of(s)), s) for s in scholarships]
    most = max(score for score, _ in scored)
    return [s for score, s in scored if score == most] if most else []


def _words_of(scholarship: Item) -> set[str]:
    text = f"{scholarship['name']} {scholarship['description']} {scholarship['eligibility']}"
    return {stem(word) for word in fold(text).split() if len(word) > 3}


_WHICH = re.compile(
    r"\b(?:hay|tienen|ofrecen|dan|que|cuales|lista de|tipos de) (?:\w+ ){0,1}becas?\b"
    r"|\b(?:are there|any|what|which|have|offer|list of) (?:\w+ ){0,2}scholarships?\b"
)
#: Words that say nothing about which scholarship is meant.
_COMMON = frozenset(
    stem(word)
    for word in (
        "becas beca scholarship scholarships apply postulo postular application financial ayuda "
        "curso cursos course courses programa programas programme programmes estudiar study "
        "personas people apoyo economica lost perder pierdo"
    ).split()
)
