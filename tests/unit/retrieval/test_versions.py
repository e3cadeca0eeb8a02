"""Versions: a changed content always gets a higher one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.stores.versions import StoredVersion, decide_version


@pytest.mark.parametrize(
    ("stored", "declared", "expected"),
    [
        (None, 1, ("added", 1)),
        (None, 7, ("added", 7)),
        (StoredVersion(1, True, True, True), 1, ("unchanged", 1)),
        (StoredVersion(3, True, True, True), 1, ("unchanged", 3)),
        (StoredVersion(1, True, True, False), 1, ("updated", 1)),
        (StoredVersion(1, True, False, False), 1, ("changed", 2)),
        (StoredVersion(1, True, False, False), 5, ("changed", 5)),
        (StoredVersion(1, True, True, True), 2, ("changed", 2)),
        (StoredVersion(4, False, True, True), 1, ("added", 4)),
        (StoredVersion(4, False, False, True), 1, ("changed", 5)),
    ],
)
def test_what_storing_a_document_means(
    stored: StoredVersion | None, declared: int, expected: tuple[str, int]
) -> None:
    assert decide_version(stored, declared) == expected


@given(st.integers(1, 50), st.integers(1, 50), st.booleans(), st.booleans(), st.booleans())
def test_versions_never_fall_and_rise_with_the_content(
    version: int, declared: int, current: bool, same_content: bool, same_rest: bool
) -> None:
    _, decided = decide_version(StoredVersion(version, current, same_content, same_rest), declared)
    assert decided >= version
    assert same_content or decided > version
