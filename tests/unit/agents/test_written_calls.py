"""Calls that a model writes into its text are found, whatever the template taught it."""

import json

import pytest

from agents.llm.written_calls import CallReader

CALL = '{"name": "get_course", "arguments": {"code": "DAT-101"}}'
ASKED = [("get_course", {"code": "DAT-101"})]


def read(text: str, size: int) -> tuple[str, list[tuple[str, object]]]:
    reader = CallReader()
    shown = "".join(reader.feed(text[i : i + size]) for i in range(0, len(text), size))
    rest, calls = reader.close()
    return shown + rest, [(c["name"], json.loads(c["args"] or "")) for c in calls]


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize(
    ("text", "said", "asked"),
    [
        ("Hola. ¿Qué tal?", "Hola. ¿Qué tal?", []),
        (f"<tool_call>\n{CALL}\n</tool_call>", "", ASKED),
        (f"Voy a ver. <tool_call>{CALL}</tool_call>", "Voy a ver. ", ASKED),
        (f"<tool_call>{CALL}</tool_call><tool_call>{CALL}</tool_call>", "", ASKED * 2),
        (f"[TOOL_CALLS] [{CALL}, {CALL}]", "", ASKED * 2),
        (CALL.replace("arguments", "parameters"), "", ASKED),
        ('{"total": 3}', '{"total": 3}', []),
        ("Cuesta <b>poco</b>. a < b", "Cuesta <b>poco</b>. a < b", []),
        ('Con {"name": "x"} no hago nada.', 'Con {"name": "x"} no hago nada.', []),
    ],
)
def test_calls_are_told_from_text(
    text: str, said: str, asked: list[tuple[str, object]], size: int
) -> None:
    assert read(text, size) == (said, asked)


@pytest.mark.parametrize("size", [1, 1_000])
def test_broken_call_keeps_its_name_and_what_was_written(size: int) -> None:
    reader = CallReader()
    text = '<tool_call>{"name": "enrol", "arguments": {"cohort'
    shown = "".join(reader.feed(text[i : i + size]) for i in range(0, len(text), size))
    rest, (call,) = reader.close()
    assert (shown, rest) == ("", "")
    assert call["name"] == "enrol"
    assert call["args"] == text.removeprefix("<tool_call>")
