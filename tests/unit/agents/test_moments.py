"""Days and hours as students name them."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from agents.llm.offline.lexicon import lexicon
from agents.llm.offline.moments import day_in, hour_in
from agents.llm.offline.text import plain

#: A Tuesday.
NOW = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("America/Lima"))


@pytest.mark.parametrize(
    ("locale", "said", "day"),
    [
        ("es", "hoy en la tarde", date(2026, 11, 24)),
        ("es", "mañana a las 10", date(2026, 11, 25)),
        ("es", "mañana por la tarde", date(2026, 11, 25)),
        ("es", "pasado mañana", date(2026, 11, 26)),
        ("es", "el jueves por la mañana", date(2026, 11, 26)),
        ("es", "el martes", date(2026, 12, 1)),
        ("es", "el lunes que viene", date(2026, 11, 30)),
        ("es", "el 3 a las 4", date(2026, 12, 3)),
        ("es", "el 28", date(2026, 11, 28)),
        ("es", "por la mañana", None),
        ("es", "a las 10:30", None),
        ("en", "tomorrow at 3", date(2026, 11, 25)),
        ("en", "on friday morning", date(2026, 11, 27)),
        ("en", "the day after tomorrow", date(2026, 11, 26)),
        ("en", "the 30th", date(2026, 11, 30)),
        ("en", "whenever you can", None),
    ],
)
def test_day_is_today_or_later(locale: str, said: str, day: date | None) -> None:
    lex = lexicon(locale)  # type: ignore[arg-type]
    assert day_in(plain(said, lex.spellings), NOW, lex) == day


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("manana a las 10", time(10)),
        ("a las 4", time(16)),
        ("a las 4 y media por favor el viernes", time(16)),
        ("el viernes 10:30", time(10, 30)),
        ("tomorrow at 3pm please", time(15)),
        ("friday 10am", time(10)),
        ("el 3 a las 9", time(9)),
        ("11", time(11)),
        ("sobre las 17h30 estaria bien", time(17, 30)),
        ("el 28 de noviembre", None),
        ("quiero dos cursos de 40 horas en total", None),
        ("el jueves por la tarde", None),
    ],
)
def test_hour_is_of_the_day_on_which_people_are_met(said: str, hour: time | None) -> None:
    assert hour_in(said) == hour
