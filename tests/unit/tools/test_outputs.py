"""Results, their sources, and what is kept of them for repeated calls."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from tools.outputs import SourceOut, ToolOutput, from_stored, ok_of, ref_of, to_stored
from tools.results import Ok, Source


class Price(ToolOutput):
    text: str


REFS = st.from_regex(r"[a-z0-9-]{1,48}", fullmatch=True)
SOURCES = st.builds(SourceOut, ref=REFS, title=st.text(), url=st.text(), version=st.text())


@given(text=st.text(), sources=st.lists(SOURCES, max_size=3))
def test_sources_stand_beside_the_data_and_survive_storage(
    text: str, sources: list[SourceOut]
) -> None:
    result = ok_of(Price(text=text, sources=sources))
    assert result.data == {"text": text}
    assert [s.ref for s in result.sources] == [s.ref for s in sources]
    stored = json.loads(json.dumps(to_stored(result)))
    assert from_stored(stored) == Ok(result.data, result.sources, replayed=True)


@given(parts=st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_ref_is_short_and_plain(parts: list[str]) -> None:
    ref = ref_of("kb", *parts)
    assert re.fullmatch(r"[a-z0-9-]{1,48}", ref)
    assert ref == ref_of("kb", *parts)


def test_ref_reads_like_what_it_names() -> None:
    assert ref_of("course", "DAT-101") == "course-dat-101"
    assert ok_of(
        Price(text="x", sources=[SourceOut(ref="a-1", title="T", url="/u", version="2")])
    ).sources == (Source("a-1", "T", "/u", "2"),)
