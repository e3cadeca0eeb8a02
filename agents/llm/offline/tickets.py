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


def ticket_arguments(intent: Intent, turn: Conversation) -> dict[str, object]:
    """Return a ticket's contents, or nothing while the student has not said what it is about."""
    said = " ".join(intent.raw.split())
    matter = _matter(said, turn)
    if len(topic_of(plain(matter, {}), lexicon(turn.locale)).split()) < _LEAST_WORDS:
        return {}
    return {
        "category": _category(said, turn),
        "title": _title(matter),
        "description": said[:2_000],
    }


def _matter(said: str, turn: Conversation) -> str:
    """Return what is left when the request for a ticket itself is taken away."""
    words = said.split()
    cue = lexicon(turn.locale).intents["open_ticket"]
    found = cue.search(plain(said, {}))
    if found is None:
        return said
    before = len(plain(said, {})[: found.start()].split())
    rest = words[:before] + words[before + len(found.group().split()) :]
    return re.sub(r"^[\s,.:;-]+", "", " ".join(rest))


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
