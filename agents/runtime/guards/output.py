"""Whether what a model says can be traced; what cannot does not leave.

Figures, dates, amounts, percentages, codes and links must occur in this run's tool results, in the
student's own messages or on the brief's clock; e-mail addresses and telephone numbers in the
results alone. The agent's instructions do not leave either, nor what is in neither language.
"""

from dataclasses import dataclass

from agents.runtime.guards.evidence import Evidence, evidence_of, weekday
from agents.runtime.guards.facts import Fact, facts_in
from agents.runtime.guards.instructions import repeats
from agents.runtime.guards.language import is_foreign
from agents.runtime.guards.marks import without_marks
from agents.runtime.guards.sentences import sentences_of

__all__ = ["Checked", "Evidence", "check_reply", "check_sentence", "evidence_of", "says_something"]

#: Contact data and links are good only from a tool: a student, or a text that a student pasted,
#: could otherwise make the agent repeat them as the institution's.
_TOOL_ONLY = frozenset({"email", "phone", "url"})
_NUMERIC = frozenset({"number", "quantity", "amount", "percent"})
#: What a student said as a sum or a share is no price of ours unless the sentence says whose it is.
_NEVER_FROM_STUDENT = frozenset({"amount", "percent"})


@dataclass(frozen=True, slots=True)
class Checked:
    """A reply after the check.

    Args:
        text: the sentences that can be traced, as they were written.
        withheld: the others.
    """

    text: str
    withheld: tuple[str, ...]


def check_sentence(sentence: str, evidence: Evidence) -> bool:
    """Return whether a sentence may leave: traced, in our languages, and no instruction of ours."""
    if repeats(sentence, evidence.private) or is_foreign(without_marks(sentence)):
        return False
    attributed = _attributes(sentence)
    return all(_supported(fact, evidence, attributed) for fact in facts_in(sentence))


def check_reply(text: str, evidence: Evidence) -> Checked:
    """Split a reply into what may leave and what may not."""
    kept, withheld = list[str](), list[str]()
    for sentence in sentences_of(text):
        (kept if check_sentence(sentence, evidence) else withheld).append(sentence)
    return Checked("".join(kept).strip(), tuple(withheld))


def says_something(text: str) -> bool:
    """Return whether a reply holds more than a greeting or an opening."""
    return len(without_marks(text).split()) >= 4


def _attributes(sentence: str) -> bool:
    folded = sentence.casefold()
    return any(phrase in folded for phrase in _ATTRIBUTIONS)


_ATTRIBUTIONS = (
    "tu presupuesto", "que mencionas", "que indicas", "que dices", "me dices", "que tienes",
    "your budget", "you mention", "you said", "you say", "you have", "hasta ", "up to ",
    "menos de ", "less than ", "under ",
)  # fmt: skip


def _supported(fact: Fact, evidence: Evidence, attributed: bool) -> bool:
    if any(_same(fact, known) for known in evidence.found):
        return True
    if fact.kind in _TOOL_ONLY or (fact.kind in _NEVER_FROM_STUDENT and not attributed):
        return False
    return any(_same(fact, known) for known in evidence.said)


def _same(fact: Fact, known: Fact) -> bool:
    if fact.kind == "date":
        return known.kind == "date" and _same_date(fact, known)
    if fact.kind == "number":
        return _same_number(fact, known)
    if fact.kind == "quantity" and known.kind == "number":
        return not known.unit and bool(fact.values & known.values)
    if fact.kind == known.kind and fact.kind in _PARTIAL:
        return _PARTIAL[fact.kind](fact, known)
    if fact.kind != known.kind or not fact.values & known.values:
        return False
    return (fact.kind != "amount" and fact.unit == known.unit) or _same_currency(fact, known)


def _same_currency(fact: Fact, known: Fact) -> bool:
    return fact.kind == "amount" and (not fact.unit or not known.unit or fact.unit == known.unit)


def _same_number(fact: Fact, known: Fact) -> bool:
    if known.kind == "date":
        return any(value[:4] in fact.values for value in known.values if not value.startswith("-"))
    return known.kind in _NUMERIC and bool(fact.values & known.values)


def _same_phone(fact: Fact, known: Fact) -> bool:
    return any(k.endswith(v) or v.endswith(k) for v in fact.values for k in known.values)


def _same_code(fact: Fact, known: Fact) -> bool:
    return any(v == k or v in k.split("-") for v in fact.values for k in known.values)


def _same_date(fact: Fact, known: Fact) -> bool:
    return any(
        _covers(written, full) and (not fact.unit or fact.unit == _weekday_or_same(full, fact.unit))
        for written in fact.values
        for full in known.values
    )


def _covers(written: str, known: str) -> bool:
    if written.startswith("--"):
        return known.endswith(written[1:]) and (known.startswith("--") or len(known) == 10)
    return known == written or (len(written) == 7 and known.startswith(written))


def _weekday_or_same(known: str, written: str) -> str:
    return weekday(known) if len(known) == 10 and known[0] != "-" else written


_PARTIAL = {"phone": _same_phone, "code": _same_code}
