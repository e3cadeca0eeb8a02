"""What arguments get through, and what their refusal tells."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from crm.errors import RuleBroken
from crm.journal.audit import canonical
from tools.arguments import MAX_BYTES, ToolInput, parse_arguments, printable, recordable


class Wish(ToolInput):
    query: str = Field(min_length=1, max_length=20)
    level: Literal["intro", "advanced"] | None = None
    limit: int = Field(3, ge=1, le=5)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("raw", [{"query": " Python "}, '{"query": "Python"}'])
def test_mapping_and_json_text_are_the_same(raw: object) -> None:
    assert parse_arguments(Wish, raw) == Wish(query="Python")


@pytest.mark.parametrize("raw", [None, "", "  ", {}, "{}"])
def test_no_arguments_are_an_empty_object(raw: object) -> None:
    with pytest.raises(RuleBroken, match="query: missing"):
        parse_arguments(Wish, raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"query": "x", "limit": 9}, "limit: less than equal, le 5"),
        ({"query": "x", "level": "expert"}, "level: literal error, expected 'intro' or 'advanced'"),
        ({"query": "x" * 30}, "query: string too long, max_length 20"),
        ({"query": "x", "person_id": "7"}, "a field that this tool does not have: extra forbidden"),
    ],
)
def test_refusal_names_the_field_and_the_rule(raw: object, said: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        parse_arguments(Wish, raw)
    assert refused.value.code == "arguments.invalid"
    assert refused.value.safe_message == f"Invalid arguments: {said}."


@given(name=st.text(max_size=12).map("§{}".format), value=st.text(max_size=12).map("¤{}".format))
def test_refusal_repeats_nothing_that_the_caller_wrote(name: str, value: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        parse_arguments(Wish, {name: value, "query": value, "limit": value, "level": value})
    for said in (name, value):
        assert said not in refused.value.safe_message


@pytest.mark.parametrize(
    "raw",
    [
        '{"query": "x"',
        "[1]",
        "7",
        7,
        [("query", "x")],
        '{"query": NaN}',
        "[" * 30_000,
        {"query": "nul\x00"},
        {"query": "half \ud800 pair"},
        '{"query": "half \\ud800 pair"}',
    ],
)
def test_what_cannot_be_read_or_stored_is_refused(raw: object) -> None:
    with pytest.raises(RuleBroken) as refused:
        parse_arguments(Wish, raw)
    assert refused.value.code == "arguments.invalid"


def test_backslashes_before_u0000_are_text() -> None:
    assert parse_arguments(Wish, {"query": "a\\u0000"}).query == "a\\u0000"


@pytest.mark.parametrize(
    "raw", [{"query": "x" * MAX_BYTES}, "x" * (MAX_BYTES + 1), {"query": "ñ" * (MAX_BYTES // 2)}]
)
def test_too_much_is_refused(raw: object) -> None:
    with pytest.raises(RuleBroken) as refused:
        parse_arguments(Wish, raw)
    assert refused.value.code == "arguments.too_large"


@given(raw=JSON | st.text() | st.dictionaries(st.sampled_from(["query", "limit", "x"]), JSON))
def test_anything_is_either_parsed_or_refused_and_can_be_recorded(raw: Any) -> None:
    canonical(recordable(raw))
    try:
        parsed = parse_arguments(Wish, raw)
    except RuleBroken:
        return
    assert parse_arguments(Wish, parsed.model_dump(mode="json")) == parsed


def test_unreadable_arguments_are_recorded_in_part() -> None:
    assert recordable("{" + "x" * 5_000) == {"raw": "{" + "x" * 1_999}
    assert printable("a\ud800b", 9) == "a?b"
