"""Finds the programme that a student means among those that the tool listed."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.offline.intents import Intent
from agents.llm.offline.reading import rows_of
from agents.runtime.guards.input import fold

_LEVEL_WORDS = {
    "master": ("maestria", "master", "magister"),
    "diploma": ("diplomado", "diplomatura", "diploma"),
    "bachelor": ("licenciatura", "bachelor", "carrera", "pregrado", "undergraduate", "bachiller"),
    "certificate": ("certificado", "certificate"),
}
_EMPTY = frozenset(
    {"de", "en", "y", "e", "la", "el", "los", "del", "of", "in", "and", "the", "programa"}
    | {"programme", "program", "entrar", "get", "into"}
)


def stem(word: str) -> str:
    """Return the start of a word, which inflections share."""
    return word.strip(".,;:()«»\"'¿?¡!")[:6].rstrip("sz")


_KINDS = frozenset(stem(word) for words in _LEVEL_WORDS.values() for word in words)


def best_programme(intent: Intent, listed: Mapping[str, object]) -> str:
    """Return the code of the programme whose title holds the student's words, or nothing."""
    ranked = [(_overlap(intent, p), p["code"]) for p in programmes_of(intent, listed)]
    best = max(ranked, default=(0, ""))
    return str(best[1]) if best[0] > 0 else ""


def programmes_of(intent: Intent, listed: Mapping[str, object]) -> Sequence[Mapping[str, Any]]:
    """Return the listed programmes of the kind that the student names, or all."""
    every = rows_of(listed, "programmes")
    levels = {
        level
        for level, words in _LEVEL_WORDS.items()
        if any(f" {word}" in f" {intent.text}" for word in words)
    }
    return [p for p in every if p.get("level") in levels] or every


def _overlap(intent: Intent, programme: Mapping[str, Any]) -> int:
    title = {stem(word) for word in fold(str(programme["title"])).split()}
    said = {stem(word) for word in intent.topic.split()}
    return len((title & said) - _EMPTY - _KINDS)
