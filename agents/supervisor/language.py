"""Which of the institution's languages a student writes."""

import re
from collections.abc import Sequence

from agents.runtime.brief import Locale
from agents.runtime.guards.language import scores_of

#: Below this many letters detection errs (.84–.88 on very short mixed texts): the conversation's
#: language stays, unless a word decides.
_SHORT_LETTERS = 18
_MARGIN = 0.15
#: Signs of Spanish outside of names, which keep their accents in any language.
_SPANISH_SIGNS = re.compile(r"[¿¡]|\b[a-záéíóúñ]*[áéíóúñ][a-z]*\b")
_SPANISH = frozenset(
    "hola buenas buenos gracias cuanto cuánto cuesta curso cursos quiero necesito tienen donde "
    "dónde cuando cuándo que qué becas beca ayuda por porfa favor precio horario horarios es está "
    "el la los las de un una para con persona asesor sí si muchas adiós chau ese cuál cual como "
    "cómo hay".split()
)
_ENGLISH = frozenset(
    "hello hi hey thanks thank how much cost costs course courses want need have where when what "
    "scholarship scholarships help please price schedule is are the an of for with person "
    "advisor yes bye that which there do does can my your you it long show tell give and or".split()
)


def language_of(texts: Sequence[str], current: Locale) -> Locale:
    """Return the language to answer in.

    Args:
        texts: the messages to be answered.
        current: the conversation's language, kept when they are too short to tell.
    """
    text = " ".join(texts)
    words = re.findall(r"[^\W\d_]+", text.casefold())
    decided = "es" if _SPANISH_SIGNS.search(text) else _by_words(words)
    if decided is not None:
        return decided
    if sum(map(len, words)) < _SHORT_LETTERS:
        return current
    return _detected(text, current)


def _by_words(words: Sequence[str]) -> Locale | None:
    spanish = sum(word in _SPANISH for word in words)
    english = sum(word in _ENGLISH for word in words)
    if spanish >= 2 * english + 1:
        return "es"
    if english >= 2 * spanish + 1:
        return "en"
    return None


def _detected(text: str, current: Locale) -> Locale:
    scores = scores_of(text)
    spanish, english = scores.get("es", 0.0), scores.get("en", 0.0)
    if abs(spanish - english) < _MARGIN:
        return current
    return "es" if spanish > english else "en"
