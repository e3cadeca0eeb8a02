"""Finds in a clause what it is about: a course's subject, filters, references, a person."""

import re
from collections.abc import Mapping

from agents.llm.offline.intents import Filters, Remembered
from agents.llm.offline.lexicon import Lexicon
from agents.llm.offline.text import Clause

_CODE = re.compile(r"\b([a-z]{3})[- ]?(\d{3})\b")
_EXPLICIT = {
    "es": re.compile(
        r"\b(?:cursos?|cursito|clases?|taller(?:es)?|materia|modulo|diplomatura)\b(?! que)"
        r"|\b(?:el|la|lo) (?:de|del) (?!la\b|los\b|mi\b|ayer|hoy)\w+"
    ),
    "en": re.compile(
        r"\b(?:courses?|class|workshop|module|training)\b|\bthe \w+(?: \w+)? one\b|\b\w+ one$"
    ),
}
_NAMED = {
    "es": re.compile(
        r"\b(?:curso|cursito|taller|clases?) (?:de|del|sobre|en) "
        r"(?!linea\b|vivo\b|la\b|las\b|el\b|los\b)\w+"
        r"|\b(?:el|la) de (?!la\b|los\b|mi\b)\w+"
    ),
    "en": re.compile(
        r"\b(?!(?:the|a|any|that|this|your|my|which|what)\b)\w+ (?:course|workshop|training)\b"
        r"|\bcourses? (?:on|in|about) \w+"
    ),
}
_DEFINITE = {
    "es": re.compile(
        r"\b(?:el|del|al|ese|este|dicho) (?:curso|cursito|taller)\b"
        r"|\b(?:el|la) de (?!la\b|los\b|mi\b)\w+"
    ),
    "en": re.compile(r"\b(?:the|that|this) (?:[\w/&]+ ){0,5}(?:course|class|workshop|one)\b"),
}
_NAME = r"[A-ZÁÉÍÓÚÜÑ][\w'’áéíóúüñ-]+"
_FULL_NAME = re.compile(rf"\b{_NAME}(?:\s+(?:de(?:l| la)?\s+)?{_NAME}){{1,3}}")
_STRONG_FIELDS = (
    r"correos?|e-?mails?|mails?|telefonos?|celular(?:es)?|direccion(?:es)?|domicilio|notas?"
    r"|calificacion(?:es)?|deudas?|datos|dni|whatsapp|cumpleanos|contrasena|phones?(?: numbers?)?"
    r"|mobiles?|address(?:es)?|grades?|marks?|debts?|birthday|password"
)

#: Words of a wish that say when or how much, never what.
_NOT_GOALS = ("advice_talk", "below", "evening", "morning", "afternoon", "weekend", "weekday")


def course_code_in(text: str) -> str:
    """Return a course's code that the text names, or nothing."""
    found = _CODE.search(text)
    return f"{found[1]}-{found[2]}".upper() if found else ""


def names_a_course(text: str, locale: str) -> bool:
    """Return whether the text speaks of a course as such: `el curso de …`, `the … one`."""
    return bool(_EXPLICIT[locale].search(text) or course_code_in(text))


def means_one_course(text: str, locale: str) -> bool:
    """Return whether the text means one certain course rather than any."""
    return bool(_DEFINITE[locale].search(text) or course_code_in(text))


def names_a_subject(text: str, locale: str) -> bool:
    """Return whether the text names a course by its subject, so that nothing else can be meant."""
    return bool(_NAMED[locale].search(text) or course_code_in(text))


def topic_of(text: str, lex: Lexicon) -> str:
    """Return the words that name a subject, in their order."""
    words = re.findall(r"[\w+#'/]+", text)
    kept = list[str]()
    before = ""
    for word in words:
        # "Machine learning" is a subject of two words; "learning" alone says nothing of one.
        compound = before in kept[-1:] and lex.slots["compound"].fullmatch(word)
        if compound or not (lex.noise.fullmatch(word) or word.isdigit()):
            kept.append(word)
        before = word
    return " ".join(kept)


def goal_in(text: str, lex: Lexicon) -> str:
    """Return the words that say what somebody likes or wants."""
    for cue in (lex.intents["recommend"], *(lex.slots[slot] for slot in _NOT_GOALS)):
        text = cue.sub(" ", text)
    return topic_of(text, lex)


def filters_of(text: str, lex: Lexicon) -> Filters:
    """Return what the course has to be like, as far as the text says it."""
    below = lex.slots["below"].search(text)
    return Filters(
        language=_only(text, lex, {"in_english": "en", "in_spanish": "es"}),
        modality=_only(text, lex, {"online": "online", "onsite": "onsite", "hybrid": "hybrid"}),
        level=_only(
            text,
            lex,
            {"beginner": "intro", "intermediate": "intermediate", "advanced": "advanced"},
        ),
        part_of_day=_only(text, lex, {p: p for p in ("evening", "afternoon", "morning")}),
        weekend=bool(lex.slots["weekend"].search(text)),
        cheap=bool(lex.slots["cheap"].search(text)),
        max_price_minor=int(below[1]) * 100 if below else None,
    )


def without_filters(topic: str, text: str, lex: Lexicon) -> str:
    """Return a topic without the words that became filters."""
    for slot in ("in_english", "in_spanish", "online", "onsite", "hybrid", "weekend", "cheap"):
        for found in lex.slots[slot].finditer(text):
            topic = re.sub(rf"\b{re.escape(found.group().split()[-1])}\b", " ", topic)
    return " ".join(topic.split())


def referred_course(text: str, lex: Lexicon, remembered: Remembered) -> str:
    """Return the code of the course that `the second` or `that one` means, or nothing."""
    for place, slot in enumerate(("first", "second", "third")):
        if lex.slots[slot].search(text):
            return remembered.course(place)
    return ""


def person_in(clause: Clause, lex: Lexicon) -> str:
    """Return who else's data the clause asks for: a name, a relation, or nothing."""
    fields, relations = lex.people["fields"], lex.people["relations"]
    text = clause.text
    if not re.search(rf"\b(?:{fields})\b", text):
        return ""
    related = re.search(
        rf"\b(?:de|del|mi|mis|un|una|otr[oa]|a|my|of|for|another|the|the other|every|all)"
        rf"(?: la| el| los| mi| my| the| un| una)? (?P<who>{relations})\b",
        text,
    )
    if related and re.search(rf"\b(?:{_STRONG_FIELDS})\b", text):
        return _full_name(clause, lex) or related["who"]
    return _full_name(clause, lex) if _asks_by_name(text) else _lower_case_name(text, lex)


def _asks_by_name(text: str) -> bool:
    return bool(
        re.search(
            rf"\b(?:{_STRONG_FIELDS}|informacion|information|records?|perfil|profile|"
            rf"pagos?|payments?|expediente|ficha|horario|schedule)\b",
            text,
        )
    )


def _full_name(clause: Clause, lex: Lexicon) -> str:
    for found in _FULL_NAME.finditer(clause.raw):
        words = re.sub(r"['’]s\b", "", found.group()).split()
        names = [w for w in words if not lex.not_people.fullmatch(w.casefold())]
        if len(names) >= 2 and not lex.noise.fullmatch(names[0].casefold()):
            return " ".join(names)
    return _lower_case_name(clause.text, lex)


def _lower_case_name(text: str, lex: Lexicon) -> str:
    patterns = (
        rf"\b(?:{_STRONG_FIELDS})\b (?:\w+ )?(?:de|del|of|for) (?P<who>[a-z']+(?: [a-z']+)?)",
        rf"(?P<who>[a-z]+(?: [a-z]+)?)'s (?:\w+ )?(?:{_STRONG_FIELDS})\b",
    )
    for pattern in patterns:
        found = re.search(pattern, text)
        if found and (name := _as_name(found["who"], lex)):
            return name
    return ""


def _as_name(words: str, lex: Lexicon) -> str:
    said = words.split()
    if any(lex.not_people.fullmatch(word) for word in said[:1]):
        return ""
    kept = [w for w in said if not lex.noise.fullmatch(w) and not lex.not_people.fullmatch(w)]
    known = any(cues.search(" ".join(kept)) for cues in lex.knowledge.values())
    return "" if known or not kept else " ".join(kept).title()


def _only(text: str, lex: Lexicon, slots: Mapping[str, str]) -> str:
    """Return the one value that the text names; who names two asks which of them it is."""
    named = [value for slot, value in slots.items() if lex.slots[slot].search(text)]
    return named[0] if len(named) == 1 else ""
