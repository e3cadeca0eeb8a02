"""Marks say where a statement comes from; a student never sees one."""

from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.guards.marks import render_marks, without_marks

refs = st.sampled_from(["course-dat-101", "kb-refunds-es-2", "s1"])


def test_citations_are_numbered_in_the_order_they_appear() -> None:
    rendered = render_marks("Uno [[b]]. Dos [[a]][[b]].", ["a", "b"])
    assert rendered.text == "Uno [1]. Dos [2] [1]."
    assert rendered.refs == ("b", "a")


def test_source_that_does_not_exist_is_not_cited() -> None:
    rendered = render_marks("Uno [[nada]].", ["a"])
    assert (rendered.text, rendered.refs) == ("Uno.", ())


def test_actions_and_tasks_are_taken_out() -> None:
    rendered = render_marks("¿Qué pasó? [[!task:open_ticket]] [[!verify]] [[!verify]]", [])
    assert (rendered.text, rendered.actions) == ("¿Qué pasó?", ("verify",))
    assert rendered.tasks == ("open_ticket",)


@given(st.lists(st.one_of(refs.map(lambda r: f" [[{r}]]"), st.sampled_from(["Hola", ". ", " 3"]))))
def test_no_mark_is_ever_shown(parts: list[str]) -> None:
    text = "".join(parts)
    assert "[[" not in render_marks(text, ["s1"]).text
    assert "[[" not in without_marks(text)


@given(st.integers(min_value=1, max_value=20))
def test_mark_that_a_stream_has_not_finished_is_not_shown(length: int) -> None:
    assert "[" not in without_marks(
        "Cuesta USD 1 [[course-dat-101]]"[: len("Cuesta USD 1 ") + length]
    )
