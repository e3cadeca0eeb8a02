"""Brings what students type on a phone into one shape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agents.runtime.guards.input import fold

_REPEATED = re.compile(r"([a-z])\1{2,}")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that a student says.

    Args:
        raw: as it was typed.
        text: in lower case, without accents, with spellings of the phone written out.
        question: it ends in a question mark or starts like a question.
    """

    raw: str
    text: str
    question: bool = False


def plain(text: str, spellings: Mapping[str, str]) -> str:
    """Return a text in lower case, without accents, with abbreviations written out."""
    folded = _REPEATED.sub(r"\1", fold(text).replace("¿", " ").replace("¡", " "))
    words = (spellings.get(word, word) for word in re.split(r"(\W+)", folded))
    return " ".join("".join(words).split())


#: Where one question ends and the next begins: marks, lines, and a conjunction before a new verb.
_MARKS = re.compile(r"(?<=[?!;\n])\s*|(?<=[.…])\s+(?=\S)|\n+")
_JOINTS = {
    "es": re.compile(
        r"(?:,\s*|\s+)(?:y|e|ademas|además|también|tambien|pero|luego)\s+(?:tambi[eé]n\s+)?"
        r"(?=(?:de\s+|en\s+|a\s+|para\s+)?(?:qué|que|q|cuándo|cuando|cuánto|cuanto|cuánt[oa]s|cuant[oa]s"
        r"|cómo|como|dónde|donde|cuál|cual|cuáles|hay|tienen|puedo|quiero|quisiera|necesito|si\s"
        r"|aceptan|dan|dura|abr[ea]|muéstrame|muestrame|dame|dime|pás[ae]me|pas[ae]me)\b)",
        re.IGNORECASE,
    ),
    "en": re.compile(
        r"(?:,\s*|\s+)(?:and|n|&|also|but|plus|then)\s+(?:also\s+|then\s+)?"
        r"(?=(?:what|when|how|where|which|who|is|are|do|does|can|could|i\s+(?:also\s+)?(?:want|need|would)"
        r"|i'd|show|give|tell|open|any|whether|if)\b)",
        re.IGNORECASE,
    ),
}


def clauses_of(message: str, locale: str, spellings: Mapping[str, str]) -> Iterator[Clause]:
    """Split a message into what it says, one thing after the other."""
    for part in filter(None, map(str.strip, _MARKS.split(message))):
        for piece in filter(None, map(str.strip, _JOINTS[locale].split(part))):
            text = plain(piece, spellings)
            if re.search(r"\w", text):
                yield Clause(piece, text, question="?" in part)
