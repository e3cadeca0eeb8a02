"""Suites are checked before anything runs."""

from pathlib import Path

import pytest

from crm.errors import NotFound
from evals.scenario import Expectations, Scenario
from evals.suite import SuiteInvalid, load_suite

GOOD = """
- id: one
  family: greetings
  language: es
  turns:
    - student: hola
  expect: {language: es}
"""


def _load(folder: Path, text: str, *more: str) -> tuple[Scenario, ...]:
    (folder / "trial").mkdir()
    for number, content in enumerate((text, *more)):
        (folder / "trial" / f"{number}.yaml").write_text(content, encoding="utf-8")
    return load_suite("trial", folder).scenarios


def test_scenario_is_read_as_written(tmp_path: Path) -> None:
    (scenario,) = _load(tmp_path, GOOD)
    assert scenario.turns[0].messages == ("hola",)
    assert scenario.expect == Expectations(language="es")


def test_burst_keeps_its_messages_apart(tmp_path: Path) -> None:
    (scenario,) = _load(tmp_path, GOOD.replace("student: hola", "student: [hola, una duda]"))
    assert scenario.turns[0].messages == ("hola", "una duda")


@pytest.mark.parametrize(
    ("written", "instead", "reason"),
    [
        ("  expect: {language: es}", "", "without expectations"),
        ("{language: es}", "{}", "without expectations"),
        ("{language: es}", "{cites: []}", "asks for nothing"),
        ("{language: es}", "{language: null}", "asks for nothing"),
        ("{language: es}", "{final_state: {}}", "asks for nothing"),
        ("{language: es}", "{langauge: es}", "langauge"),
        ("  family: greetings", "  family: greetings\n  mood: bad", "mood"),
        ("student: hola", "student: hola\n      says: x", "says"),
        ("student: hola", "wait_minutes: 3", "a `student` message or a `decide`"),
        ("student: hola", "student: hola\n      expect: {}", "expects nothing"),
        ("{language: es}", "{contains_fact: [{course: DAT-101, facts: [fee]}]}", "programmes"),
        ("{language: es}", "{contains_fact: [{course: DAT-101, facts: [colour]}]}", "facts"),
        ("{language: es}", "{contains_fact: [{facts: [price]}]}", "of a course or of"),
        ("id: one", "id: One two", "id"),
    ],
)
def test_scenario_that_cannot_be_graded_does_not_load(
    tmp_path: Path, written: str, instead: str, reason: str
) -> None:
    with pytest.raises(SuiteInvalid, match=reason):
        _load(tmp_path, GOOD.replace(written, instead))


def test_two_scenarios_of_one_name_do_not_load(tmp_path: Path) -> None:
    with pytest.raises(SuiteInvalid, match="called one"):
        _load(tmp_path, GOOD, GOOD)


def test_file_without_a_list_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(SuiteInvalid, match="not a list"):
        _load(tmp_path, "id: one")


def test_unknown_suite_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_suite("nothing", tmp_path)


def test_support_suite_is_half_spanish_and_half_english_in_every_family() -> None:
    scenarios = load_suite("support").scenarios
    assert len(scenarios) >= 40
    for family in {s.family for s in scenarios}:
        languages = [s.language for s in scenarios if s.family == family]
        assert languages.count("es") == languages.count("en"), family
