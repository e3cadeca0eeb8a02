"""Sessions, shares of attendance, and codes of certificates, on any input."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.courses.completion.attendance.models import Share, sessions_of, share_of
from crm.courses.completion.certificates import models
from crm.courses.completion.certificates.signing import Signer, is_signed
from crm.courses.completion.models import CompletionPolicy, Studies, check_completion
from crm.courses.models import WEEKDAYS, Bilingual, CohortId
from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.journal.vault import SubjectKey

MONDAY = date(2026, 11, 23)
MARKS = st.sampled_from(["present", "absent", "late", "excused", None])
SIGNER = Signer(SubjectKey(UUID(int=0), bytes(range(32))))
STUDIES = Studies(
    enrolment_id=UUID(int=1),
    person_id=PersonId(UUID(int=2)),
    cohort_id=CohortId(UUID(int=3)),
    status="confirmed",
    ended_at=None,
    starts_on=MONDAY,
    ends_on=MONDAY + timedelta(days=25),
    days=("mon", "fri"),
    course_code="DAT-101",
    title=Bilingual("Datos", "Data"),
    hours=40,
    gives_certificate=True,
)


@given(
    start=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    length=st.integers(0, 400),
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
)
def test_sessions_are_all_days_of_the_schedule_within_the_dates(
    start: date, length: int, days: set[str]
) -> None:
    end = start + timedelta(days=length)
    sessions = sessions_of(start, end, days)  # type: ignore[arg-type]
    assert list(sessions) == sorted(set(sessions))
    assert all(start <= day <= end and WEEKDAYS[day.weekday()] in days for day in sessions)
    assert len(sessions) >= (length + 1) // 7 * len(days)


@given(marks=st.lists(MARKS, max_size=60), percent=st.integers(0, 100))
def test_share_counts_half_for_late_nothing_for_unmarked_and_leaves_excused_out(
    marks: list[str | None], percent: int
) -> None:
    sessions = [MONDAY + timedelta(days=n) for n in range(len(marks))]
    known = {day: mark for day, mark in zip(sessions, marks, strict=True) if mark}
    share = share_of(sessions, known)  # type: ignore[arg-type]

    counted = len(marks) - marks.count("excused")
    attended = marks.count("present") + marks.count("late") / 2
    assert share.possible == 2 * counted
    assert share.points == 2 * attended
    assert share.reaches(percent) == (counted > 0 and attended * 100 >= percent * counted)
    assert share.percent is None if counted == 0 else 0 <= (share.percent or 0) <= 100


@given(marks=st.lists(MARKS, min_size=1, max_size=30), day=st.integers(0, 29))
def test_better_mark_never_lowers_the_share(marks: list[str | None], day: int) -> None:
    sessions = [MONDAY + timedelta(days=n) for n in range(len(marks))]
    known = {d: m for d, m in zip(sessions, marks, strict=True) if m}
    at = sessions[day % len(sessions)]
    before, after = (
        share_of(sessions, {**known, at: mark})  # type: ignore[dict-item]
        for mark in ("absent", "present")
    )
    assert before.points * after.possible <= after.points * before.possible


def test_share_just_below_does_not_reach() -> None:
    assert Share(3, 4).reaches(75)
    assert not Share(2999, 4000).reaches(75)
    assert not Share(0, 0).reaches(0)


def test_course_is_completed_from_its_last_session_on() -> None:
    policy = CompletionPolicy(attendance_percent=75)
    assert STUDIES.sessions[-1] == MONDAY + timedelta(days=25)
    marks = dict.fromkeys(STUDIES.sessions, "present")
    share = check_completion(STUDIES, marks, today=STUDIES.ends_on, policy=policy)  # type: ignore[arg-type]
    assert share.percent == 100
    with pytest.raises(RuleBroken, match=r"completion\.early"):
        check_completion(
            STUDIES,
            marks,  # type: ignore[arg-type]
            today=STUDIES.ends_on - timedelta(days=1),
            policy=policy,
        )
    with pytest.raises(RuleBroken, match=r"completion\.attendance"):
        check_completion(STUDIES, {}, today=STUDIES.ends_on, policy=policy)
    check_completion(STUDIES, {}, today=STUDIES.ends_on, policy=policy, waived=True)


def test_number_and_code_are_read_as_they_were_meant() -> None:
    number = models.new_number(MONDAY)
    assert number.startswith("2026-")
    assert models.read_code(number) == number
    assert models.read_code(" k1q0 3txp ") == models.read_code("KIQO-3TXP") == "K1Q0-3TXP"


@given(number=st.text(models.ALPHABET, min_size=12, max_size=12), other=st.text(max_size=20))
def test_only_its_own_code_opens_a_number(number: str, other: str) -> None:
    code = SIGNER.code_of(number)
    assert models.read_code(code) == code
    assert SIGNER.is_code(number, code)
    assert SIGNER.is_code(number, other) == (other == code)


@given(statement=st.binary(max_size=200), changed=st.binary(max_size=200))
def test_signature_holds_for_its_statement_only(statement: bytes, changed: bytes) -> None:
    signature = SIGNER.sign(statement)
    assert is_signed(statement, signature, SIGNER.public_key)
    assert is_signed(changed, signature, SIGNER.public_key) == (changed == statement)
    assert not is_signed(statement, bytes(64), SIGNER.public_key)
    assert not is_signed(statement, signature, b"short")


def test_another_institutions_codes_do_not_fit() -> None:
    stranger = Signer(SubjectKey(UUID(int=0), bytes(32)))
    assert stranger.code_of("2026-K7QM-3TXP") != SIGNER.code_of("2026-K7QM-3TXP")
    assert not is_signed(b"x", SIGNER.sign(b"x"), stranger.public_key)


def test_initials_show_no_more_than_letters() -> None:
    assert models.initials_of("  ana María  Quispe ") == "A. M. Q."
