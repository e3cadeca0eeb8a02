"""A chain of records shows any change, whatever was recorded."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.actor import Actor, Role
from crm.ids import StaffId, SubjectId
from crm.journal.audit import GENESIS, SHARDS, around_seq, canonical, link, shard_of

_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_HEADERS = st.dictionaries(st.text(min_size=1, max_size=8), _VALUES, min_size=1, max_size=5)
_RECORDS = st.lists(st.tuples(_HEADERS, _VALUES), min_size=1, max_size=6)


def _chain(records: list[tuple[dict[str, object], object]]) -> list[bytes]:
    hashes = [GENESIS]
    for header, sealed in records:
        hashes.append(link(hashes[-1], header, sealed))
    return hashes[1:]


@given(_RECORDS, st.data())
def test_any_changed_record_changes_every_hash_from_there_on(
    records: list[tuple[dict[str, object], object]], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    other = data.draw(st.tuples(_HEADERS, _VALUES))
    same = canonical(list(other)) == canonical(list(records[at]))
    changed = [*records[:at], other, *records[at + 1 :]]

    before, after = _chain(records), _chain(changed)

    assert before[:at] == after[:at]
    if not same:
        assert all(a != b for a, b in zip(before[at:], after[at:], strict=True))


@given(_HEADERS, _VALUES, st.integers(min_value=1))
def test_number_between_both_parts_of_a_record_makes_its_text(
    header: dict[str, object], sealed: object, seq: int
) -> None:
    header.pop("seq", None)

    before, after = around_seq(header, sealed)

    assert f"{before}{seq}{after}".encode() == canonical([{**header, "seq": seq}, sealed])


@given(_HEADERS, st.text(max_size=30), st.data())
def test_flipping_any_bit_of_what_is_sealed_or_linked_changes_the_hash(
    header: dict[str, object], sealed: str, data: st.DataObject
) -> None:
    honest = link(GENESIS, header, sealed)
    plain = canonical([header, sealed])
    bit = data.draw(st.integers(0, len(plain) * 8 - 1))
    flipped = bytearray(plain)
    flipped[bit // 8] ^= 1 << bit % 8
    prev = bytearray(GENESIS)
    prev[bit % 32] ^= 1 << bit % 8

    assert link(bytes(prev), header, sealed) != honest
    try:
        header_now, sealed_now = json.loads(bytes(flipped))
    except (ValueError, TypeError):
        return  # No longer JSON: the database could not even hold it.
    if canonical([header_now, sealed_now]) != plain:
        assert link(GENESIS, header_now, sealed_now) != honest


@given(_RECORDS)
def test_leaving_out_or_swapping_records_changes_the_head(
    records: list[tuple[dict[str, object], object]],
) -> None:
    head = _chain(records)[-1]

    assert _chain([*records, records[-1]])[-1] != head
    if len(records) > 1:
        assert _chain(records[1:])[-1] != head
        swapped = [records[1], records[0], *records[2:]]
        if canonical(list(records[0])) != canonical(list(records[1])):
            assert _chain(swapped)[-1] != head


@given(_VALUES)
def test_one_value_has_one_text_that_reads_back_as_it(value: object) -> None:
    text = canonical(value)

    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=6))
def test_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1 < at.year < 9999),
    st.integers(-14 * 60, 14 * 60),
)
def test_one_moment_has_one_text_in_every_time_zone(at: datetime, offset: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(minutes=offset)))

    assert canonical(elsewhere) == canonical(at)


@given(st.uuids())
def test_staff_outside_conversations_have_one_of_sixteen_chains(staff_id: UUID) -> None:
    actor = Actor(SubjectId(UUID(int=1)), staff_id=StaffId(staff_id), role=Role.ADVISOR)

    assert shard_of(actor) == shard_of(actor)
    assert shard_of(actor).int % 2**64 < SHARDS
    assert shard_of(actor).int >> 112 == 0x5AAD


@pytest.mark.parametrize("value", [b"\x00\xff", UUID(int=7)])
def test_bytes_and_ids_are_written_as_text(value: object) -> None:
    assert json.loads(canonical(value)) in {"00ff", str(UUID(int=7))}
