"""Chooses what to quote of the passages that a search found."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.llm.offline.passages import Unit, units_of
from agents.llm.offline.thesaurus import meanings_of
from agents.runtime.guards.input import fold

Embed = Callable[[list[str]], NDArray[np.float32]]
Passage = Mapping[str, Any]

#: The search has ranked with more than we see here: a passage needs a reason by how much less it
#: scores. Of 110 questions about the demo that have an answer 97 quote the right document, 95 to 98
#: with 1 to 3 and other bonuses; with a cost by place, which knows no near ties, 96.
_SCORE_WEIGHT = 2.0
_HEADING_WEIGHT = 0.5
_SHAPE_BONUS, _LIST_BONUS = 0.4, 0.5
#: The words before a document's first heading say what it is about and hardly ever the answer.
_OPENING_COST = 0.12
_MEANING_WEIGHT = 4.0
_FOREIGN_COST = 0.3
_UNITS = 3

_AMOUNT = r"(?:usd|us\$|\$|€)\s?\d|\d\s?(?:usd|dolares|dollars)"
_SPAN = (
    r"\d+ (?:\w+ )?(?:dias?|horas?|minutos?|semanas?|mes(?:es)?"
    r"|days?|hours?|minutes?|weeks?|months?)"
)
_RULES = (
    r"\b(?:no|not|only|may|must|cannot|puedes?|pueden|debes?|solo|can|free|gratis|gratuit\w+)\b"
)
#: A question for several things, which are listed under a heading that names them.
_LISTS = re.compile(
    r"\b(?:que|cuales|what|which)\b.*?\b(document\w*|papel\w*|paper\w*|requisit\w*|requirement\w*"
    r"|medios|formas|methods?|pasos|steps)\b"
)
#: What a question asks for, and what its answer looks like.
_SHAPES = (
    (r"\b(?:a que hora|horarios?|hours|what time|abren|open)\b", r"\d{1,2}:\d{2}"),
    (r"\b(?:cuanto (?:cuesta|vale|sale|cobran)|how much (?:is|does|do|for)|precio|price|cost\w*)\b",
     _AMOUNT),
    (r"\b(?:devuelv\w+|devolucion|reembols\w+|refund|money back|porcentaje|percent\w*)\b",
     r"\d\s?%"),
    (r"\b(?:how (?:long|soon)|when|cuando|cuanto (?:se )?(?:tarda\w*|demora\w*|tiempo)|plazo)\b",
     _SPAN),
    (r"\b(?:cuant\w+|how (?:much|many|old)|nota|edad|grade|age|megas|mbps)\b", r"\d"),
    (r"(?:^|[,.;] )(?:y si |and )?(?:can|may|could|do|does|is it|are"
     r"|puedo|puede\w*|se puede|me dejan)\b",
     _RULES),
    (r"\b(?:telefono|whatsapp|numero|phone|number)\b", r"\+\d"),
    (r"\b(?:correo|e-?mail)\b", r"@"),
)  # fmt: skip


def quote(
    question: str,
    passages: Sequence[Passage],
    embed: Embed | None,
    *,
    most_words: int,
    language: str = "",
) -> tuple[str, Passage]:
    """Return what answers best, as the document has it, and its passage.

    Args:
        passages: best first, with their scores.
        embed: compares by meaning; words in common otherwise.
        language: of the student; a passage in another one needs a clear reason.
    """
    units = [
        u
        for place, passage in enumerate(passages)
        for u in units_of(str(passage["text"]), place, question=question)
    ]
    if not units:
        return str(passages[0]["text"]), passages[0]
    scores = _scores(question, units, passages, embed)
    foreign = [language not in ("", passages[u.passage].get("language", "")) for u in units]
    scores -= _FOREIGN_COST * np.array(foreign)
    best = units[int(np.argmax(scores))]
    own = [(u, float(s)) for u, s in zip(units, scores, strict=True) if u.passage == best.passage]
    return _window(own, best, most_words), passages[best.passage]


def _scores(
    question: str, units: Sequence[Unit], passages: Sequence[Passage], embed: Embed | None
) -> NDArray[np.float64]:
    asked, folded = meanings_of(question), fold(question)
    said = [meanings_of(u.text) for u in units]
    # What a document is about need not be said again in each of its sentences, and a heading that
    # says it tells no section from the others.
    titles = [meanings_of(str(p["title"])) for p in passages]
    headings = [meanings_of(str(p["heading"])) for p in passages]
    weights = _weights(asked, said)
    listed = frozenset(w for found in _LISTS.finditer(folded) for w in meanings_of(found[1]))
    shapes = [answer for asks, answer in _SHAPES if re.search(asks, folded)]
    scores = np.array([
        _share(words | titles[u.passage], weights)
        + _HEADING_WEIGHT * _share(headings[u.passage] - titles[u.passage], weights)
        + _SHAPE_BONUS * any(re.search(shape, fold(u.text)) for shape in shapes)
        + _LIST_BONUS * (u.is_list and bool(listed & (headings[u.passage] | words)))
        - _SCORE_WEIGHT * _behind(passages[u.passage], passages[0])
        - _OPENING_COST * (passages[u.passage]["heading"] == passages[u.passage]["title"])
        for u, words in zip(units, said, strict=True)
    ])  # fmt: skip
    if embed is not None:
        vectors = embed([question, *(f"{passages[u.passage]['heading']}: {u.text}" for u in units)])
        scores += _MEANING_WEIGHT * (vectors[1:] @ vectors[0])
    return scores


def _weights(asked: frozenset[str], said: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """Return what each asked word is worth: more, the fewer units say it."""
    return {w: log(1 + len(said) / (1 + sum(w in words for words in said))) for w in sorted(asked)}


def _share(words: frozenset[str], weights: Mapping[str, float]) -> float:
    held = sum(weight for word, weight in weights.items() if word in words)
    return held / max(sum(weights.values()), 1e-9)


def _behind(passage: Passage, first: Passage) -> float:
    return float(first.get("score", 0.0)) - float(passage.get("score", 0.0))


def _window(scored: Sequence[tuple[Unit, float]], best: Unit, most_words: int) -> str:
    """Return the whole passage if it is short, else the best unit and the better of its neighbours.

    A row stands for itself, a table for its rows.
    """
    best = _whole_table(best, scored, most_words)
    units = [u for u, _ in scored if u is best or u.kind not in {"row", "table"}]
    flowing = [u for u in units if u.kind != best.kind or best.kind not in {"row", "table"}]
    if len(units) <= _UNITS and _words(units) <= most_words:
        return _joined(units)
    scores = {id(u): s for u, s in scored}
    first = last = units.index(best)
    while last - first + 1 < min(_UNITS, len(flowing) + 1):
        sides = [p for p in (first - 1, last + 1) if 0 <= p < len(units)]
        side = max(sides, key=lambda p: (scores[id(units[p])], p), default=None)
        if side is None or _words(units[min(first, side) : max(last, side) + 1]) > most_words:
            break
        first, last = min(first, side), max(last, side)
    words = _joined(units[first : last + 1]).split()
    return " ".join(words[:most_words]) + ("…" if len(words) > most_words else "")


def _whole_table(best: Unit, scored: Sequence[tuple[Unit, float]], most_words: int) -> Unit:
    """Return a row's table if it is short: which row holds is the student's to say."""
    tables = (
        u
        for u, _ in scored
        if u.kind == "table" and best.kind == "row" and best.text[:-1] in u.text
    )
    return next((t for t in tables if _words([t]) <= most_words), best)


def _words(units: Sequence[Unit]) -> int:
    return sum(len(unit.text.split()) for unit in units)


def _joined(units: Sequence[Unit]) -> str:
    texts = [u.text if re.search(r"[.!?:;…]$", u.text) else f"{u.text}." for u in units]
    return " ".join(texts)
