"""Says in other words, of both languages, what a query about studying asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from retrieval.models import LANGUAGES, Language
from retrieval.text import content_words, words_of

#: Knowing this share of a query's words is as good as knowing all: the rest puts them together.
_ENOUGH = 0.5

_Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Glossary:
    """Concepts, by what people call them.

    Args:
        concepts: what documents call each, by language.
        names: which concepts a phrase may mean.
    """

    concepts: tuple[dict[Language, tuple[str, ...]], ...]
    names: dict[Language, dict[_Phrase, tuple[int, ...]]]
    longest: int


@dataclass(frozen=True, slots=True)
class OtherWords:
    """What documents call what a query speaks of.

    Args:
        text: empty if nothing is known.
        share: how much of the query, by words that mean something, is known.
    """

    text: str
    share: float


def other_words(query: str, language: Language, target: Language) -> OtherWords:
    """Look a query up.

    Args:
        language: of the query.
        target: of the documents.
    """
    glossary = _read()
    words = [_bare(word) for word in words_of(query)]
    telling = {_bare(word) for word in words_of(content_words(query))}
    found: dict[int, None] = {}
    known: set[str] = set()
    for phrase in _phrases(words, glossary.longest):
        if meant := glossary.names[language].get(phrase):
            found.update(dict.fromkeys(meant))
            known.update(phrase)
    text = " ".join(term for number in found for term in glossary.concepts[number][target])
    share = len(known & telling) / max(len(telling), 1)
    return OtherWords(text, min(1.0, share / _ENOUGH))


def _phrases(words: list[str], longest: int) -> Iterator[_Phrase]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            yield tuple(words[start:end])


def _bare(word: str) -> str:
    """Take the plural's ending away; what is left need not be a word."""
    if len(word) > 4 and word.endswith("es") and word[-3] not in "aeiou":
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word


@cache
def _read() -> _Glossary:
    source = resources.files("retrieval").joinpath("glossary.yaml").read_text(encoding="utf-8")
    entries: list[dict[Language, str]] = yaml.safe_load(source)
    names: dict[Language, dict[_Phrase, tuple[int, ...]]] = {lang: {} for lang in LANGUAGES}
    concepts = []
    for number, entry in enumerate(entries):
        concepts.append({lang: _terms(entry[lang].partition("|")[0]) for lang in LANGUAGES})
        for language in LANGUAGES:
            for name in _terms(entry[language].replace("|", ",")):
                phrase = tuple(_bare(word) for word in words_of(name))
                meant = names[language].get(phrase, ())
                names[language][phrase] = tuple(dict.fromkeys((*meant, number)))
    longest = max(len(phrase) for by_name in names.values() for phrase in by_name)
    return _Glossary(tuple(concepts), names, longest)


def _terms(listed: str) -> tuple[str, ...]:
    return tuple(term.strip() for term in listed.split(",") if term.strip())
