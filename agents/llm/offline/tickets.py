"""What goes into a ticket, out of a student's words."""

import re

from agents.llm.offline.intents import Intent
from agents.llm.offline.lexicon import lexicon
from agents.llm.offline.reading import Conversation
from agents.llm.offline.text import plain
from agents.llm.offline.topics import topic_of

_CATEGORIES = {
    "admission": "admission",
    "payments": "payments",
    "refunds": "payments",
    "certificates": "certificates",
    "technical": "technical",
    "academic": "academic",
}
_TITLE_CHARS = 80
#: Words of its own that a description has at the least.
_LEAST_WORDS = 2
#: Fewer words before the request are an opening ("please", "necesito"), not the matter.
_CLAUSE_WORDS = 4


def ticket_arguments(intent: Intent, turn: Conversation) -> dict[str, object]:
    """Return a ticket's contents, or nothing while the student has not said what it is about."""
    said = " ".join(intent.raw.split())
    matter = _matter(said, turn)
    if not _says_enough(matter, turn):
        return {}
    return {
        "category": _category(said, turn),
        "title": _title(matter),
        "description": said[:2_000],
    }


def _says_enough(matter: str, turn: Conversation) -> bool:
    own = len(topic_of(plain(matter, {}), lexicon(turn.locale)).split())
    return own >= _LEAST_WORDS or (own > 0 and len(matter.split()) > _CLAUSE_WORDS)


def _matter(said: str, turn: Conversation) -> str:
    """Return what is left when the request for a ticket itself is taken away."""
    cue = lexicon(turn.locale).intents["open_ticket"]
    sentences = [s for s in re.split(r"(?<=[.?!;])\s+", said) if s]
    others = [s for s in sentences if not cue.search(plain(s, {}))]
    if others and len(others) < len(sentences):
        own = [_beside_request(s, cue) for s in sentences if s not in others]
        return next((o for o in own if _says_enough(o, turn)), _trimmed(" ".join(others).split()))
    return _beside_request(said, cue)


def _beside_request(said: str, cue: re.Pattern[str]) -> str:
    words, text = said.split(), plain(said, {})
    found = cue.search(text)
    if found is None:
        return said
    place = len(text[: found.start()].split())
    before = _trimmed(words[:place])
    after = _trimmed(words[place + len(found.group().split()) :])
    # "No puedo entrar, abre un ticket por favor" or "Abre un ticket: no puedo entrar".
    return before if len(before.split()) >= _CLAUSE_WORDS else after or before


def _trimmed(words: list[str]) -> str:
    return " ".join(words).strip(" ,.:;-?!¿¡")


def _category(said: str, turn: Conversation) -> str:
    lex = lexicon(turn.locale)
    text = plain(said, lex.spellings)
    fields = (name for name, cue in lex.knowledge.items() if cue.search(text))
    return next((_CATEGORIES[f] for f in fields if f in _CATEGORIES), "other")


def _title(matter: str) -> str:
    text = matter[:1].upper() + matter[1:]
    if len(text) <= _TITLE_CHARS:
        return text.rstrip(" .,;")
    return text[:_TITLE_CHARS].rsplit(" ", 1)[0].rstrip(" .,;") + "…"
