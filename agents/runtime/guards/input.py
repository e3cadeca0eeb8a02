"""What is odd about a student's message; noted for the record and never the only defence.

A flag changes no right: what an agent may do is decided by the tools' policy.
"""

import re
import unicodedata
from collections.abc import Iterable

from agents.llm.offline.lexicon import lexicon
from agents.runtime.brief import Locale

LOCALES: tuple[Locale, ...] = ("es", "en")

#: Longer than this is flagged; the API has refused what is longer than it accepts.
LONG_CHARS = 2_000

_VERBS = (
    r"ignor\w*|olvid\w*|desobede\w*|salta\w*|omit\w*|desactiv\w*|forget|disregard|override|bypass"
    r"|disable|pretend|skip"
)
_RULES = (
    r"instruccion\w*|reglas?|normas|politicas?|restriccion\w*|filtros?|prompt|system"
    r"|(?:todo )?lo anterior|lo que te (?:dijeron|han dicho)|instructions?|rules?|polic(?:y|ies)"
    r"|restrictions?|guard ?rails?|filters?|everything (?:above|before)"
    r"|(?:all|anything) (?:above|before|previous)"
)
_INJECTION = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:{_VERBS})\b.{{0,40}}\b(?:{_RULES})\b",
        r"\b(?:tu|your|el|the|system|sistema)\b.{0,12}\bprompt\b|\bsystem message\b"
        r"|\binstrucciones (?:internas|ocultas|del sistema|iniciales)\b|\bhidden instructions\b",
        r"\b(?:actua|act|comporta\w*|behave|responde|answer|respond) (?:como|as|like)\b.{0,40}"
        r"\b(?:admin\w*|root|desarrollador|developer|hacker|sin (?:reglas|filtros|restricciones)"
        r"|unrestricted|no rules)\b",
        r"\b(?:ahora (?:eres|seras)|a partir de ahora|desde ahora|you are now|from now on)\b",
        r"\b(?:modo|mode)\b.{0,6}\b(?:desarrollador|developer|dios|god|admin\w*|debug|dan)\b"
        r"|\b(?:developer|admin|debug|god|dan) mode\b|\bjailbreak\w*",
        r"<\|?(?:im_start|im_end|system|assistant)\|?>|\[/?inst\]|^\s*(?:system|assistant)\s*:",
        r"\b(?:soy|i am|i'm)\b.{0,12}\b(?:el|la|the|an?)?\s*(?:admin\w*|desarrollador\w*|developer"
        r"|director\w*|root)\b",
        r"\b(?:muestra\w*|dame|vuelca|exporta\w*|show|give|dump|export|list)\b.{0,24}"
        r"\b(?:base de datos|database|todos los (?:alumnos|estudiantes|usuarios|correos)"
        r"|all (?:the )?(?:students|users|emails|records))\b",
    )
)


def fold(text: str) -> str:
    """Return a text in lower case without accents and invisible characters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    )
    return "".join(kept).replace("’", "'")


def input_flags(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what the new messages show: `too_long`, `injection`, `abuse`, in a fixed order."""
    joined = list(texts)
    flags = []
    if any(len(text) > LONG_CHARS for text in joined):
        flags.append("too_long")
    if any(has_injection_signs(text) for text in joined):
        flags.append("injection")
    if any(is_abusive(text) for text in joined):
        flags.append("abuse")
    return tuple(flags)


def is_abusive(text: str) -> bool:
    """Return whether a text insults, in either language."""
    folded = fold(text)
    return any(lexicon(locale).intents["abuse"].search(folded) for locale in LOCALES)


def has_injection_signs(text: str) -> bool:
    """Return whether a text tries to speak to the agent as its maker would."""
    folded = fold(text)
    return any(pattern.search(folded) for pattern in _INJECTION)
