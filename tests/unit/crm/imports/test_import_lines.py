"""Records of a CSV file: whatever is broken costs its own line and no other."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.imports.lines import Record, RecordReader, open_text


def read(content: bytes | str) -> tuple[list[str], list[Record]]:
    raw = content.encode() if isinstance(content, str) else content
    reader = RecordReader(open_text(io.BytesIO(raw)))
    return reader.header, list(reader)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_found_in_the_header(delimiter: str) -> None:
    header, records = read(f"name{delimiter}email\nAna{delimiter}a@b.pe\n")
    assert header == ["name", "email"]
    assert records == [Record(2, ["Ana", "a@b.pe"])]


def test_spreadsheets_of_windows_are_read() -> None:
    _, records = read("nombre;correo\r\nÑusta Peña;n@b.pe\r\n".encode("cp1252"))
    assert records == [Record(2, ["Ñusta Peña", "n@b.pe"])]


def test_byte_order_mark_is_no_part_of_the_header() -> None:
    assert read(b"\xef\xbb\xbfname\nAna\n")[0] == ["name"]


def test_lost_quote_costs_one_line() -> None:
    _, records = read('name,email\n"Ana,a@b.pe\nEva,e@b.pe\nLuz,l@b.pe\n')
    assert records == [
        Record(2, None),
        Record(3, ["Eva", "e@b.pe"]),
        Record(4, ["Luz", "l@b.pe"]),
    ]


def test_two_lost_quotes_cost_two_lines() -> None:
    _, records = read('name,email\n"Ana,a@b.pe\nEva,e@b.pe\n"Luz,l@b.pe\nPaz,p@b.pe\n')
    assert [r.number for r in records if r.cells is None] == [2, 4]
    assert [r.cells for r in records if r.cells] == [["Eva", "e@b.pe"], ["Paz", "p@b.pe"]]


def test_quoted_line_break_belongs_to_its_cell() -> None:
    _, records = read('name,note\nAna,"one\ntwo"\nEva,three\n')
    assert records == [Record(2, ["Ana", "one\ntwo"]), Record(4, ["Eva", "three"])]


def test_wrong_number_of_cells_is_a_broken_line() -> None:
    _, records = read("name,email\nAna\nEva,e@b.pe,x\nLuz,l@b.pe\n")
    assert [r.cells for r in records] == [None, None, ["Luz", "l@b.pe"]]


def test_endless_line_is_broken_and_the_next_is_read() -> None:
    _, records = read("name,email\n" + "x" * 500_000 + "\nEva,e@b.pe\n")
    assert records == [Record(2, None), Record(3, ["Eva", "e@b.pe"])]


def test_blank_lines_are_no_records() -> None:
    assert [r.number for r in read("name\n\nAna\n   \nEva\n\n")[1]] == [3, 5]


@pytest.mark.parametrize("content", ["", "\n", "   \n"])
def test_file_without_header_is_refused(content: str) -> None:
    with pytest.raises(RuleBroken, match=r"import\.empty"):
        read(content)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(min_size=1), st.text()).filter(lambda r: any(c.strip() for c in r)),
        max_size=20,
    )
)
def test_what_a_spreadsheet_writes_is_what_is_read(rows: list[tuple[str, str]]) -> None:
    rows = [tuple(c.replace("\r", " ").encode("utf-8", "ignore").decode() for c in r) for r in rows]
    rows = [r for r in rows if any(c.strip() for c in r)]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    _, records = read(written.getvalue())
    short = [r for r in rows if sum(c.count("\n") for c in r) < 50]
    assert [tuple(r.cells) for r in records if r.cells] == short
