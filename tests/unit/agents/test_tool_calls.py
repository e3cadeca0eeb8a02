"""Streamed calls are put together; what is broken stays broken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from agents.llm.tool_calls import function_of, repaired_name, settle_calls, with_valid_history
from tests.unit.agents.scripted import tool_call
from tools.catalogue import SPECS

KNOWN = [spec.name for spec in SPECS]


def settled(arguments: str) -> AIMessageChunk:
    calls = settle_calls(tool_call("search_courses", arguments), KNOWN)
    assert calls is not None
    return calls


@given(st.sampled_from(KNOWN), st.integers(min_value=1, max_value=5))
def test_repeated_name_is_repaired(name: str, times: int) -> None:
    assert repaired_name(name * times, KNOWN) == name


@pytest.mark.parametrize("name", ["", "search", "search_coursessearch", "search_coursesget_course"])
def test_other_unknown_names_stay_as_they_are(name: str) -> None:
    assert repaired_name(name, KNOWN) == name


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(), max_size=4))
def test_whole_arguments_pass(arguments: dict[str, object]) -> None:
    calls = settled(json.dumps(arguments))
    assert calls.tool_calls[0]["args"] == arguments
    assert calls.invalid_tool_calls == []


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), min_size=1), st.data())
def test_arguments_cut_anywhere_are_never_completed(
    arguments: dict[str, str], data: st.DataObject
) -> None:
    whole = json.dumps(arguments)
    cut = whole[: data.draw(st.integers(min_value=1, max_value=len(whole) - 1))]
    calls = settled(cut)
    assert calls.tool_calls == []
    assert str(calls.invalid_tool_calls[0]["args"]).endswith(cut)


def test_stream_without_calls_settles_to_nothing() -> None:
    assert settle_calls(AIMessageChunk(content="Hola"), KNOWN) is None


def test_history_keeps_good_calls_and_mends_broken_ones() -> None:
    good = {"name": "get_course", "args": {"code": "DAT-101"}, "id": "a", "type": "tool_call"}
    broken = {"name": None, "args": "{", "id": "b", "error": None, "type": "invalid_tool_call"}
    (mended,) = with_valid_history([AIMessage("", tool_calls=[good], invalid_tool_calls=[broken])])
    assert isinstance(mended, AIMessage)
    assert [c["name"] for c in mended.tool_calls] == ["get_course", "unknown"]
    assert mended.invalid_tool_calls == []


@pytest.mark.parametrize("spec", SPECS, ids=KNOWN)
def test_tool_is_described_with_its_schema(spec: object) -> None:
    described = function_of(spec)["function"]  # type: ignore[arg-type]
    assert isinstance(described, dict)
    assert described["description"]
    assert described["parameters"]["type"] == "object"
    assert described["parameters"]["additionalProperties"] is False
