"""Finds in a question the words that may belong to a course's title."""

import re
import unicodedata

_WORD = re.compile(r"[\w+#]+(?:-\w+)*")

#: Words of a question about a course that say nothing about which one.
_GENERIC_WORDS = frozenset(
    _WORD.findall(
        """
        a al con de del el en la las los lo para por que un una y o mi me te se es son hay sobre
        quiero curso cursos clase clases taller tema cual cuales cuando cuanto cuesta precio empieza
        inicio informacion the an of for to in on and or with is are course courses class classes
        workshop about how much does cost price when start starts begin what which do you have want
        i my need
        """
    )
)


def title_words(text: str) -> tuple[str, ...]:
    """Return the words of a text that may belong to a title, folded, each once."""
    words = _WORD.findall(folded(text))
    return tuple(dict.fromkeys(w for w in words if w not in _GENERIC_WORDS))


def folded(text: str) -> str:
    """Lower the case and take the accents away."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in plain if not unicodedata.combining(c))
