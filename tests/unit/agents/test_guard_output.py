"""What can be traced leaves, what cannot does not."""

import json
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agents.runtime.brief import Brief, PendingConfirmation
from agents.runtime.guards.output import Evidence, check_reply, check_sentence, evidence_of
from tests.unit.agents.test_guard_facts import cents, days, ways_to_write
from tools.results import Failed, NeedsConfirmation, Ok, Refused, Source, ToolResult

BRIEF = Brief(
    locale="es",
    now="2026-11-24T10:00:00-05:00",
    time_zone="America/Lima",
    institution="Instituto Andino",
    identity_level="visitor",
    new_messages=1,
)
COURSE = Ok(
    {
        "title": "Python para análisis de datos",
        "code": "DAT-201",
        "price": {"amount_minor": 18900, "currency": "USD", "text": "USD 189.00"},
        "weeks": 10,
        "hours": 40,
        "starts_on": "2026-12-14",
        "schedule": "lunes y miércoles, 19:00–21:00",
        "percent": 15,
        "seats_left": 6,
    },
    (Source("course-dat-201", "Python", "/courses/DAT-201", "2026-11-24"),),
)


def evidence(
    *results: ToolResult, said: tuple[AnyMessage, ...] = (), brief: Brief = BRIEF
) -> Evidence:
    return evidence_of([("tool", result) for result in results], said, brief)


@pytest.mark.parametrize(
    "sentence",
    [
        "Cuesta US$ 189,00.",
        "Cuesta $189.",
        "It costs 189 dollars.",
        "Empieza el lunes 14 de diciembre de 2026, de 7 p. m. a 9 p. m.",
        "Starts Dec 14.",
        "Dura diez semanas (40 horas).",
        "Quedan 6 cupos con 15 % de descuento.",
        "El código es DAT-201.",
        "Hoy es 24 de noviembre de 2026.",
        "¡Con gusto! ¿Algo más?",
    ],
)
def test_what_the_tools_said_passes(sentence: str) -> None:
    assert check_sentence(sentence, evidence(COURSE))


@pytest.mark.parametrize(
    "sentence",
    [
        "Cuesta US$ 188,00.",
        "Cuesta 189 soles.",
        "Empieza el 15 de diciembre.",
        "Empieza el martes 14 de diciembre de 2026.",
        "Dura 40 semanas.",
        "Dura once semanas.",
        "Quedan 7 cupos.",
        "Hay un 20 % de descuento.",
        "El código es DAT-999.",
        "A las 18:00.",
        "Escribe a python@andino.example.",
        "Llama al 987 654 321.",
        "Paga en https://pagos.example/x.",
    ],
)
def test_what_nobody_said_is_withheld(sentence: str) -> None:
    assert not check_sentence(sentence, evidence(COURSE))


@given(cents, cents)
def test_only_the_amount_of_a_result_passes(real: int, invented: int) -> None:
    assume(real != invented)
    known = evidence(Ok({"price_minor": real, "currency": "USD"}))
    whole, part = divmod(invented, 100)
    written = f"Cuesta USD {whole:,}.{part:02d}."
    assert not check_sentence(written, known)
    whole, part = divmod(real, 100)
    assert check_sentence(f"Cuesta USD {whole:,}.{part:02d}.", known)
    assert check_sentence(f"Cuesta US$ {whole},{part:02d} en total.", known)


@given(days, days)
def test_only_the_date_of_a_result_passes(real: date, invented: date) -> None:
    swapped = {(real.day, real.month), (real.month, real.day)}
    assume((invented.day, invented.month) not in swapped or invented.year != real.year)
    assume("2026-11-24" not in {real.isoformat(), invented.isoformat()})
    known = evidence(Ok({"starts_on": real.isoformat()}))
    assert all(check_sentence(f"Empieza el {w}.", known) for w in ways_to_write(real))
    assert not any(check_sentence(f"Empieza el {w}.", known) for w in ways_to_write(invented)[:6])


@given(st.text(max_size=120))
def test_result_that_is_quoted_always_passes(text: str) -> None:
    assert check_sentence(text, evidence(Ok({"passage": text})))


def test_instants_count_by_the_clock_on_the_institutions_wall() -> None:
    known = evidence(Ok({"expires_at": "2027-01-13T02:30:00+00:00"}))
    assert check_sentence("Vence el 12 de enero a las 21:30.", known)
    assert not check_sentence("Vence el 11 de enero.", known)


def test_tool_messages_of_this_run_count_and_earlier_replies_do_not() -> None:
    content = json.dumps({"status": "ok", "data": {"price": "USD 77.00"}})
    window = (
        AIMessage("Cuesta USD 55.00."),
        HumanMessage("¿y el otro?"),
        ToolMessage(content, tool_call_id="1", name="get_course"),
    )
    known = evidence(said=window)
    assert check_sentence("Cuesta USD 77.00.", known)
    assert not check_sentence("Cuesta USD 55.00.", known)


def test_students_figures_count_but_never_as_a_price_of_ours() -> None:
    known = evidence(said=(HumanMessage("tengo 16 años y 80 dólares, ¿cuesta 80 dólares?"),))
    assert check_sentence("Con 16 años puedes estudiar.", known)
    assert not check_sentence("Sí, el curso cuesta 80 dólares.", known)
    assert check_sentence("Busqué cursos de hasta 80 dólares.", known)


def test_address_that_a_student_wrote_is_not_repeated() -> None:
    known = evidence(said=(HumanMessage("escribe a ana@correo.example o al 987 654 321"),))
    assert not check_sentence("Le escribiré a ana@correo.example.", known)
    assert not check_sentence("Llamaré al 987 654 321.", known)


def test_contact_data_of_a_result_passes_in_any_dress() -> None:
    known = evidence(Ok({"phone": "+1 202 555 0143", "email": "hola@andino.example"}))
    assert check_sentence("Llama al +1 (202) 555-0143 o escribe a hola@andino.example.", known)


def test_summary_of_what_waits_for_consent_passes() -> None:
    asked = NeedsConfirmation(
        uuid4(), "pay", "Pagar 3 cuotas", datetime(2026, 11, 24, 20, tzinfo=UTC), 6300, "USD"
    )
    known = evidence(asked)
    assert check_sentence("Son 3 cuotas de USD 63.00 y vence a las 15:00.", known)
    pending = PendingConfirmation(
        id="1", tool="pay", summary="Pagar USD 50", expires_at="2026-11-24T20:00:00+00:00"
    )
    waiting = Brief(**{**{f: getattr(BRIEF, f) for f in BRIEF.__slots__}, "pending": pending})
    assert check_sentence("Falta confirmar USD 50.", evidence(brief=waiting))


def test_reason_of_a_refusal_passes_and_a_failure_tells_nothing() -> None:
    assert check_sentence("Máximo 3 cursos.", evidence(Refused("x", "At most 3 courses.")))
    assert not check_sentence("Hay 3 cursos.", evidence(Failed("x", "3", retryable=True)))


def test_reply_keeps_what_can_be_traced() -> None:
    reply = "¡Hola! El curso cuesta USD 189.00 [[course-dat-201]]. Te lo dejo en USD 20."
    checked = check_reply(reply, evidence(COURSE))
    assert checked.text == "¡Hola! El curso cuesta USD 189.00 [[course-dat-201]]."
    assert checked.withheld == ("Te lo dejo en USD 20.",)


@given(st.lists(st.sampled_from(["Cuesta USD 189.00. ", "Cuesta USD 5. ", "¡Hola! ", "Sí.\n"])))
def test_every_sentence_is_either_kept_or_withheld(parts: list[str]) -> None:
    checked = check_reply("".join(parts), evidence(COURSE))
    assert len(checked.withheld) == parts.count("Cuesta USD 5. ")
    assert "USD 5." not in checked.text
