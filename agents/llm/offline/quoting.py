"""Chooses what to quote of the passages that a search found."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.llm.offline.programmes import stem
from agents.runtime.guards.input import fold
from agents.runtime.guards.sentences import sentences_of

Embed = Callable[[list[str]], NDArray[np.float32]]
Passage = Mapping[str, Any]

_ROW = re.compile(r"^\s*\|(.+)\|\s*$")
_RULE = re.compile(r"^[\s|:-]+$")


def quote(
    question: str, passages: Sequence[Passage], embed: Embed | None, *, most_words: int
) -> tuple[str, Passage]:
    """Return the sentences that answer best, as the document has them, and their passage.

    Args:
        passages: best first; the first wins unless another one fits clearly better.
        embed: compares by meaning; words in common otherwise.
    """
    units = [(p, unit) for p in passages for unit in units_of(str(p["text"]))]
    if not units:
        return str(passages[0]["text"]), passages[0]
    scores = _scores(question, units, embed)
    for place, passage in enumerate(passages):
        for i, (owner, _) in enumerate(units):
            if owner is passage:
                scores[i] -= 0.04 * place
    best = int(np.argmax(scores))
    passage = units[best][0]
    own = [unit for owner, unit in units if owner is passage]
    return _around(own, own.index(units[best][1]), most_words), passage


def units_of(text: str) -> list[str]:
    """Return a passage's sentences, list items and tables, without marks of layout."""
    units: list[str] = []
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", text):
        rows = [row[1] for line in block.splitlines() if (row := _ROW.match(line))]
        if rows:
            units.append(_table(rows))
        else:
            units += [clean for s in sentences_of(" ".join(block.split())) if (clean := _clean(s))]
    return units


def _table(rows: Sequence[str]) -> str:
    cells = [[_clean(c) for c in row.split("|")] for row in rows if not _RULE.match(row)]
    names = [row[0] for row in cells[1:]] or cells[0]
    head = cells[0][0]
    return f"{head}: {'; '.join(names)}."


def _clean(text: str) -> str:
    bare = re.sub(r"^\s*(?:[-*•]|#+|\d+\.)\s+", "", text.strip())
    bare = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", bare)
    return re.sub(r"[*_`]{1,2}(?=\S)|(?<=\S)[*_`]{1,2}", "", bare).strip()


def _scores(
    question: str, units: Sequence[tuple[Passage, str]], embed: Embed | None
) -> NDArray[np.float64]:
    words = _stems(question)
    shared = [len(words & (_stems(u) | _stems(str(p["heading"])))) for p, u in units]
    lexical = np.array(shared, dtype=np.float64) / max(len(words), 1)
    if embed is None:
        return lexical
    vectors = embed([question, *(f"{p['heading']}: {u}" for p, u in units)])
    return np.asarray(vectors[1:] @ vectors[0], dtype=np.float64) + 0.1 * lexical


def _stems(text: str) -> set[str]:
    return {stem(w) for w in re.findall(r"\w+", fold(text)) if len(w) > 3}


def _around(units: Sequence[str], best: int, most_words: int) -> str:
    """Return the best unit and those after it while they fit."""
    chosen = [units[best]]
    for unit in units[best + 1 : best + 3]:
        if sum(len(u.split()) for u in [*chosen, unit]) > most_words:
            break
        chosen.append(unit)
    words = " ".join(chosen).split()
    return " ".join(words[:most_words]) + ("…" if len(words) > most_words else "")
