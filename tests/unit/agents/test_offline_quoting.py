"""What is quoted of a passage: the sentence, row or list that carries the asked fact."""

import pytest

from agents.llm.offline.passages import units_of
from agents.llm.offline.quoting import quote

REFUNDS = {
    "title": "Withdrawal",
    "heading": "How much is refunded",
    "language": "en",
    "text": "Periods are counted in calendar days.\n\n| When you ask | Refund |\n|---|---|\n"
    "| A week before | 100% |\n| The day before | 80% |\n| Later | None |",
}
COPIES = {
    "title": "Certificates",
    "heading": "When and how",
    "language": "en",
    "text": "The digital one appears within 5 business days after the record is published. You "
    "also receive an e-mail with the link to download it, and a code which anybody can check.\n\n"
    "| Document | Format | Cost |\n|---|---|---|\n| Digital certificate | File | Included |\n"
    "| Printed certificate | Paper | USD 15 |\n\n"
    "Collect it at a campus. Somebody else may do so with a simple letter. We do not ship abroad.",
}
PAPERS = {
    "title": "Admisión",
    "heading": "Documentos que presentas",
    "language": "es",
    "text": "Todo se envía en foto nítida desde el formulario, y los originales se muestran una "
    "sola vez en cualquier sede o por videollamada con la oficina.\n\n"
    "| Documento | Licenciatura | Maestría |\n|---|---|---|\n| Identidad | Sí | Sí |\n"
    "| Secundaria completa | Sí | No |\n| Hoja de vida | No | Sí |",
}
STEPS = {
    "title": "Admisión",
    "heading": "Pasos de la admisión",
    "language": "es",
    "text": "1. **Postula.** Completa el formulario y adjunta los documentos.\n"
    "2. **Conversa.** Hay una entrevista de media hora, sin costo alguno para nadie.\n"
    "3. **Recibe la respuesta.** Admisión contesta en un máximo de 10 días hábiles.\n"
    "4. **Confirma.** Paga la matrícula y recibirás tu acceso.",
}


@pytest.mark.parametrize(
    ("question", "passages", "fact"),
    [
        ("how much does the printed certificate cost?", [COPIES], "USD 15"),
        ("when will the digital one appear?", [COPIES], "5 business days"),
        ("can you mail it to another country abroad?", [COPIES], "do not ship"),
        ("can somebody else pick it up?", [COPIES], "simple letter"),
        ("how much money do I get back if I withdraw?", [REFUNDS], "80%"),
        ("¿cuánto tarda en contestar admisión?", [STEPS, PAPERS], "10 días"),
        ("¿qué papeles piden para la licenciatura?", [STEPS, PAPERS], "Secundaria completa"),
        ("¿qué documentos debo entregar para la maestría?", [STEPS, PAPERS], "Hoja de vida"),
    ],
)
def test_quote_carries_the_asked_fact(
    question: str, passages: list[dict[str, str]], fact: str
) -> None:
    text, _ = quote(question, passages, None, most_words=40)
    assert fact in text
    assert len(text.split()) <= 40


def test_list_of_who_needs_what_leaves_out_what_is_not_needed() -> None:
    text, passage = quote("¿qué documentos pide la licenciatura?", [PAPERS], None, most_words=20)
    assert passage is PAPERS
    assert "Hoja de vida" not in text


def test_short_table_is_quoted_whole() -> None:
    text, _ = quote("refund the day before?", [REFUNDS], None, most_words=25)
    assert all(share in text for share in ("100%", "80%", "None"))


def test_passage_in_the_students_language_goes_first() -> None:
    es = {**REFUNDS, "language": "es", "title": "Retiros"}
    _, passage = quote("refund the day before?", [es, REFUNDS], None, most_words=25, language="en")
    assert passage is REFUNDS


def test_row_keeps_the_names_of_its_columns() -> None:
    rows = [u.text for u in units_of(COPIES["text"]) if u.kind == "row"]
    assert rows[1] == "Printed certificate: Format Paper, Cost USD 15."
