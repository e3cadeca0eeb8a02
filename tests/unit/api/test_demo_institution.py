"""The demo institution's data are complete, plausible and refer only to themselves."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import time
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3] / "api" / "demo" / "institution"
LANGUAGES = ("es", "en")


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / f"{name}.yaml").read_text(encoding="utf-8"))


INSTITUTION = load("institution")
AREAS = {area["code"]: area for area in load("areas")}
COURSES = {course["code"]: course for course in load("courses")}
PROGRAMMES = {programme["code"]: programme for programme in load("programmes")}
COHORTS = {cohort["code"]: cohort for cohort in load("cohorts")}
GRANTS = {grant["code"]: grant for grant in load("scholarships") + load("discounts")}
STAFF = {person["email"]: person for person in load("staff")}


def texts(record: Any) -> Iterator[dict[str, Any]]:
    """Every bilingual value of a record, at any depth."""
    if isinstance(record, dict) and record.keys() & set(LANGUAGES):
        yield record
    elif isinstance(record, dict | list):
        for value in record.values() if isinstance(record, dict) else record:
            yield from texts(value)


def minutes(schedule: dict[str, Any]) -> int:
    start, end = (time.fromisoformat(schedule[edge]) for edge in ("start", "end"))
    return (end.hour - start.hour) * 60 + end.minute - start.minute


def test_the_catalogue_is_as_large_as_promised() -> None:
    assert len(COURSES) >= 60
    assert len(PROGRAMMES) == 12
    assert 130 <= len(COHORTS) <= 180
    assert sum(course["language"] == "en" for course in COURSES.values()) >= 12


@pytest.mark.parametrize(
    "name",
    ["areas", "courses", "programmes", "cohorts", "scholarships", "discounts"],
)
def test_codes_are_unique(name: str) -> None:
    assert [c for c, n in Counter(r["code"] for r in load(name)).items() if n > 1] == []


@pytest.mark.parametrize(
    "record",
    [INSTITUTION, *AREAS.values(), *COURSES.values(), *PROGRAMMES.values(), *GRANTS.values()],
)
def test_every_text_is_there_in_both_languages(record: dict[str, Any]) -> None:
    found = list(texts(record))
    assert found
    for text in found:
        assert set(text) == set(LANGUAGES)
        assert all(text.values())


def test_everything_refers_to_an_area_that_exists() -> None:
    used = {record["area"] for record in [*COURSES.values(), *PROGRAMMES.values()]}
    assert used == set(AREAS)
    assert {area for person in STAFF.values() for area in person["areas"]} == set(AREAS)


@pytest.mark.parametrize("course", COURSES.values(), ids=list(COURSES))
def test_a_course_is_whole_and_its_hours_add_up(course: dict[str, Any]) -> None:
    assert course["level"] in {"intro", "intermediate", "advanced"}
    assert course["language"] in LANGUAGES
    assert course["hours"] == course["weeks"] * course["hours_per_week"]
    assert isinstance(course["certificate"], bool)
    assert 3 <= len(course["outcomes"]["es"]) == len(course["outcomes"]["en"]) <= 5
    assert len(set(course["keywords"])) == len(course["keywords"]) >= 5
    assert all(2 <= len(re.findall(r"[.?!]", text)) <= 5 for text in course["summary"].values())


def test_prices_are_positive_integers_in_the_institutions_currency() -> None:
    priced = [*COURSES.values(), *PROGRAMMES.values(), *COHORTS.values(), *GRANTS.values()]
    amounts = [v for record in priced for k, v in record.items() if k.endswith("_minor")]
    assert len(amounts) > len(COURSES) + len(PROGRAMMES)
    assert all(type(amount) is int and amount > 0 for amount in amounts)
    currencies = {record["currency"] for record in priced if "currency" in record}
    assert currencies == {INSTITUTION["currency"]}


def test_prerequisites_exist_and_form_no_cycle() -> None:
    graph = {code: course["prerequisites"] for code, course in COURSES.items()}
    assert {code for needed in graph.values() for code in needed} <= set(COURSES)
    assert set(TopologicalSorter(graph).static_order()) == set(COURSES)


@pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=list(PROGRAMMES))
def test_a_programme_teaches_what_a_course_needs_before_it(programme: dict[str, Any]) -> None:
    assert programme["level"] in {"certificate", "diploma", "bachelor", "master"}
    taught: set[str] = set()
    for code in programme["courses"]:
        assert set(COURSES[code]["prerequisites"]) <= taught
        assert code not in taught
        taught.add(code)


@pytest.mark.parametrize("cohort", COHORTS.values(), ids=list(COHORTS))
def test_a_cohort_fits_its_course_and_its_place(cohort: dict[str, Any]) -> None:
    course = COURSES[cohort["course"]]
    assert cohort["code"].startswith(f"{course['code']}-")
    campuses = {campus["code"] for campus in INSTITUTION["campuses"]}
    assert cohort["campus"] in ({None} if cohort["modality"] == "online" else campuses)
    assert cohort["modality"] in {"online", "onsite", "hybrid"}
    schedule = cohort["schedule"]
    assert set(schedule["days"]) <= {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert len(schedule["days"]) * minutes(schedule) == course["hours_per_week"] * 60
    assert 0 <= cohort.get("seats_taken_demo", 0) <= cohort["seats"]
    assert 2 <= cohort["seats"] <= 40


@pytest.mark.parametrize("cohort", COHORTS.values(), ids=list(COHORTS))
def test_a_cohort_that_has_begun_is_still_running_and_closed(cohort: dict[str, Any]) -> None:
    offset, status = cohort["start_offset_days"], cohort["status"]
    assert status in ({"closed"} if offset < 0 else {"open", "cancelled"})
    assert -7 * COURSES[cohort["course"]]["weeks"] < offset <= 120
    assert 0 < cohort["enrolment_closes_days_before"] <= 5


def test_every_course_can_be_enrolled_in() -> None:
    counts = Counter(cohort["course"] for cohort in COHORTS.values())
    assert set(counts) == set(COURSES)
    assert max(counts.values()) <= 4
    assert {c["course"] for c in COHORTS.values() if c["status"] == "open"} == set(COURSES)


def test_full_scarce_and_cancelled_cohorts_can_be_shown() -> None:
    left = [c["seats"] - c["seats_taken_demo"] for c in COHORTS.values() if "seats_taken_demo" in c]
    assert 0 in left
    assert 1 in left
    assert sum(cohort["seats"] <= 5 for cohort in COHORTS.values()) >= 3
    assert any(cohort["status"] == "cancelled" for cohort in COHORTS.values())


def test_staff_log_in_under_the_reserved_domain() -> None:
    assert len(STAFF) == len(load("staff"))
    assert STAFF["admin@andino.example"]["role"] == "admin"
    for email, person in STAFF.items():
        assert email.endswith("@andino.example")
        assert person["role"] in {"advisor", "admin"}
        assert set(person["languages"]) <= set(LANGUAGES)
        assert len(person["demo_password"]) >= 12


def test_intakes_follow_one_another() -> None:
    terms = INSTITUTION["terms"]
    for term in terms:
        marks = [term[k] for k in ("applications_open", "applications_close", "starts", "ends")]
        assert marks == sorted(marks)
    assert all(a["ends"] < b["starts"] for a, b in pairwise(terms))
