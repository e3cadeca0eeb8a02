"""The phrases that the classifier of intents learns from, filled in and roughened."""

import random
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from agents.runtime.brief import Locale

_FOLDER = Path(__file__).parent / "phrases"
LOCALES: tuple[Locale, ...] = ("es", "en")
#: What stands for `{course}`: subjects as students name them, more than one institution teaches.
_COURSES: dict[Locale, str] = {
    "es": "python,excel,marketing digital,inglés,sql,power bi,diseño gráfico,contabilidad,"
    "fotografía,programación web,finanzas,redes,machine learning,ventas,gestión de proyectos,"
    "liderazgo,ciberseguridad,edición de video,estadística,francés,enfermería,recursos humanos,"
    "java,photoshop,logística,análisis de datos,cocina,electricidad,oratoria,energía solar",
    "en": "python,excel,digital marketing,english,sql,power bi,graphic design,accounting,"
    "photography,web programming,finance,networking,machine learning,sales,project management,"
    "leadership,cybersecurity,video editing,statistics,french,nursing,human resources,java,"
    "photoshop,logistics,data analysis,cooking,electrical work,public speaking,solar energy",
}
_GROUPS: dict[Locale, str] = {
    "es": "marzo,la noche,los sábados,enero,la mañana,abril,julio,la tarde,agosto,los martes",
    "en": "march,evening,saturday,january,morning,april,july,afternoon,august,tuesday",
}
_BEFORE: dict[Locale, str] = {
    "es": "hola,buenas,oye,disculpa,una consulta,hola buenas tardes,porfa,amigo,señorita,ok",
    "en": "hi,hello,hey,excuse me,quick question,good morning,pls,so,ok,hi there",
}
_AFTER: dict[Locale, str] = {
    "es": "porfa,gracias,por favor,?,!!,xfa,plis,🙏,...,gracias!",
    "en": "please,thanks,pls,?,!!,thx,thank you,🙏,...,cheers",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of which it is known what they want.

    Args:
        origin: the number of the line it was made of; of one line, all are for learning or none.
        rough: it was made out of a line by haste, not written.
    """

    text: str
    label: str
    locale: Locale
    origin: int
    rough: bool = False


def training_phrases() -> tuple[Phrase, ...]:
    """Return the written phrases with their gaps filled, each once more as haste would type it.

    What chance makes of a line depends on the line alone: a new one changes no other.
    """
    found: list[Phrase] = []
    for number, (locale, label, line) in enumerate(_lines()):
        chance = random.Random(zlib.crc32(line.encode()))  # noqa: S311 (nothing is secret here)
        found.append(Phrase(_filled(line, locale, chance), label, locale, number))
        hasty = _roughened(_filled(line, locale, chance), locale, chance)
        found.append(Phrase(hasty, label, locale, number, rough=True))
    return tuple(found)


def _lines() -> Iterator[tuple[Locale, str, str]]:
    for locale in LOCALES:
        for file in sorted((_FOLDER / locale).glob("*.yaml")):
            for label, text in yaml.safe_load(file.read_text(encoding="utf-8")).items():
                for line in text.splitlines():
                    yield locale, label, line


def _filled(line: str, locale: Locale, chance: random.Random) -> str:
    for gap, words in (("{course}", _COURSES), ("{group}", _GROUPS)):
        while gap in line:
            line = line.replace(gap, chance.choice(words[locale].split(",")), 1)
    return line


def _roughened(text: str, locale: Locale, chance: random.Random) -> str:
    """Return a text without its accents, with a slip of the thumb and words around it."""
    bare = unicodedata.normalize("NFD", text.casefold())
    text = "".join(c for c in bare if unicodedata.category(c) != "Mn")
    text = re.sub(r"[¿¡]", "", text)
    if chance.random() < 0.5 and len(text) > 12:
        place = chance.randrange(1, len(text) - 2)
        swap = text[place + 1] + text[place]
        text = text[:place] + (swap if chance.random() < 0.5 else text[place]) + text[place + 2 :]
    if chance.random() < 0.45:
        text = f"{chance.choice(_BEFORE[locale].split(','))} {text}"
    if chance.random() < 0.45:
        text = f"{text} {chance.choice(_AFTER[locale].split(','))}"
    return text
