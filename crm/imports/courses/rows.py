"""What a line about a course says: pure rules."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from crm.courses.models import Bilingual, BilingualLines, CourseContent, CourseLevel
from crm.courses.rules import check_course
from crm.errors import RuleBroken
from crm.imports.models import Field
from crm.money import Money, exponent_of

FIELDS = (
    Field("code", ("codigo", "course_code"), required=True),
    Field("area", ("area_code",), required=True),
    Field("title_es", ("title", "titulo", "nombre", "name"), required=True),
    Field("title_en", ("titulo_en",)),
    Field("summary_es", ("summary", "resumen", "descripcion", "description"), required=True),
    Field("summary_en", ("resumen_en",)),
    Field("outcomes_es", ("outcomes", "resultados", "objetivos")),
    Field("outcomes_en"),
    Field("keywords", ("palabras_clave", "tags")),
    Field("level", ("nivel",)),
    Field("language", ("idioma",)),
    Field("hours", ("horas",), required=True),
    Field("weeks", ("semanas",), required=True),
    Field("hours_per_week", ("horas_por_semana",)),
    Field("price", ("precio", "fee"), required=True),
    Field("currency", ("moneda",), required=True),
    Field("certificate", ("certificado",)),
    Field("active", ("activo",)),
)
_LEVELS = {
    "basico": "intro",
    "inicial": "intro",
    "intermedio": "intermediate",
    "avanzado": "advanced",
}
_CODE = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")
_YES = frozenset({"1", "true", "yes", "y", "si", "sí", "x"})
_NO = frozenset({"0", "false", "no", "n"})


def read_course(cells: Mapping[str, str]) -> CourseContent:
    """Return the course of a line; what English lacks is said in Spanish.

    Raises: RuleBroken: `course.level`, `.language`, `.number`, `.price`, `.flag`, `.code`, and as
        `check_course`.
    """
    get = cells.get
    weeks, hours = _whole(cells, "weeks"), _whole(cells, "hours")
    content = CourseContent(
        code=_code(get("code", "").upper()),
        area=get("area", "").upper(),
        level=_level(get("level") or "intro"),
        language="en" if get("language", "").lower() in ("en", "english", "inglés") else "es",
        title=_both(cells, "title"),
        summary=_both(cells, "summary"),
        outcomes=BilingualLines(_list(get("outcomes_es")), _list(get("outcomes_en"))),
        keywords=_list(get("keywords")),
        hours=hours,
        weeks=weeks,
        hours_per_week=_whole(cells, "hours_per_week", default=max(1, hours // max(1, weeks))),
        price=read_price(get("price", ""), get("currency", "").upper()),
        certificate=_flag(get("certificate"), default=True),
        active=_flag(get("active"), default=True),
    )
    check_course(content)
    return content


def read_price(text: str, currency: str) -> Money:
    """Return a price written with a point or a comma before the cents, e.g. 149,50.

    Raises: RuleBroken("course.price"): not a price of this currency.
    """
    exponent = exponent_of(currency)
    try:
        minor = Decimal(text.replace(",", ".")).scaleb(exponent)
        whole = int(minor)
    except (InvalidOperation, ValueError, OverflowError):
        raise RuleBroken("course.price", "This is not a price, such as 149.00.") from None
    if minor != whole or not 0 <= whole < 10**15 or len(currency) != 3 or not currency.isalpha():
        raise RuleBroken("course.price", "This is not a price in a known currency.")
    return Money(whole, currency)


def _code(text: str) -> str:
    if not _CODE.fullmatch(text) or len(text) > 40:
        raise RuleBroken(
            "course.code", "A code has capitals, digits and single hyphens, at most 40."
        )
    return text


def _both(cells: Mapping[str, str], name: str) -> Bilingual:
    spanish = cells.get(f"{name}_es", "")
    return Bilingual(spanish, cells.get(f"{name}_en") or spanish)


def _level(text: str) -> CourseLevel:
    level: Any = _LEVELS.get(text.lower().replace("á", "a"), text.lower())
    if level not in get_args(CourseLevel):
        raise RuleBroken("course.level", "The level is intro, intermediate or advanced.")
    return level  # type: ignore[no-any-return]


def _whole(cells: Mapping[str, str], name: str, *, default: int | None = None) -> int:
    text = cells.get(name) or ("" if default is None else str(default))
    if not text.isdecimal() or not 0 < int(text[:9]) <= 10_000:
        raise RuleBroken("course.number", "This is not a number from 1 to 10000.")
    return int(text)


def _flag(text: str | None, *, default: bool) -> bool:
    word = (text or "").lower()
    if word in _YES or word in _NO:
        return word in _YES
    if word:
        raise RuleBroken("course.flag", "This is neither yes nor no.")
    return default


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split("|") if part.strip())
