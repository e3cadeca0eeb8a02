"""Lock-outs, codes, second factors and roles."""

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.actor import Actor, IdentityLevel, Role
from crm.errors import Denied, RuleBroken
from crm.identity import codes, totp
from crm.identity.codes import PendingCode, Verdict
from crm.identity.models import LOCKOUT, MAX_FAILURES, Tries, check_password
from crm.identity.permissions import Area, may, require
from crm.identity.strangers import Strangers
from crm.ids import PersonId, SubjectId
from crm.journal.vault import SubjectKey

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
#: The test vector's secret, "12345678901234567890" in base32. Source: RFC 6238, appendix B.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@given(st.lists(st.integers(0, 40), min_size=1, max_size=40))
def test_no_run_of_fifteen_minutes_sees_more_than_five_passwords(minutes: list[int]) -> None:
    tries, now, looked_at = Tries(), NOW, []
    for pause in minutes:
        now += timedelta(minutes=pause)
        if not tries.locked_for_s(now):
            tries = tries.with_try(now)
            looked_at.append(now)

    # After the fifth in a row comes a pause of at least the lock-out, and so on.
    for fifth, sixth in zip(looked_at[4::5], looked_at[5::5], strict=False):
        assert sixth - fifth >= LOCKOUT


def test_lock_begins_with_the_fifth_try_and_ends_by_the_clock() -> None:
    tries = Tries()
    for _ in range(MAX_FAILURES):
        assert tries.locked_for_s(NOW) == 0
        tries = tries.with_try(NOW)

    assert 0 < tries.locked_for_s(NOW) <= LOCKOUT.total_seconds() + 1
    assert tries.locked_for_s(NOW + LOCKOUT - timedelta(seconds=1)) > 0
    assert tries.locked_for_s(NOW + LOCKOUT) == 0
    assert tries.with_try(NOW + LOCKOUT) == Tries(1)


def test_strangers_are_counted_apart_and_the_oldest_forgotten() -> None:
    strangers = Strangers()
    for n in range(10_001):
        strangers.keep(f"{n}@nowhere.example", Tries(1))

    assert strangers.tries_of("0@nowhere.example") == Tries()
    assert strangers.tries_of("1@nowhere.example") == Tries(1)
    assert strangers.tries_of("10000@nowhere.example") == Tries(1)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1_025, "ANA@andino.example"])
def test_weak_password_is_refused(password: str) -> None:
    with pytest.raises(RuleBroken, match=r"staff\.password"):
        check_password(password, "ana@andino.example")


# --- one-time codes -----------------------------------------------------------------------------


def _pending(**facts: object) -> PendingCode:
    usual = {
        "id": uuid4(),
        "person_id": PersonId(uuid4()),
        "code_hash": b"right",
        "tries": 0,
        "expires_at": NOW + timedelta(minutes=10),
    }
    return PendingCode(**{**usual, **facts})  # type: ignore[arg-type]


@given(st.integers(0, 9), st.booleans(), st.booleans(), st.integers(-20, 20))
def test_code_verifies_only_right_known_live_and_within_five_tries(
    tries: int, known: bool, right: bool, minutes_left: int
) -> None:
    pending = _pending(
        tries=tries,
        person_id=PersonId(uuid4()) if known else None,
        expires_at=NOW + timedelta(minutes=minutes_left),
    )

    verdict = codes.judge(pending, b"right" if right else b"wrong", NOW)

    live = minutes_left > 0 and tries < codes.MAX_TRIES
    assert (verdict is Verdict.VERIFIED) == (live and known and right)
    assert (verdict is Verdict.EXPIRED) == (not live)
    if live and verdict is not Verdict.VERIFIED:
        last = tries + 1 == codes.MAX_TRIES
        assert verdict is (Verdict.EXHAUSTED if last else Verdict.WRONG)


def test_no_code_is_an_expired_one() -> None:
    assert codes.judge(None, b"right", NOW) is Verdict.EXPIRED


def test_every_verdict_but_success_tells_what_to_do() -> None:
    told = {codes.error_of(v).code for v in Verdict if v is not Verdict.VERIFIED}

    assert told == {"verification.code", "verification.exhausted", "verification.expired"}


def test_codes_are_six_digits_and_differ() -> None:
    made = [codes.new_code() for _ in range(200)]

    assert all(len(c) == 6 and c.isdecimal() for c in made)
    assert len(set(made)) > 190


def test_hash_of_a_code_depends_on_key_and_request() -> None:
    key, other = SubjectKey(uuid4(), bytes(32)), SubjectKey(uuid4(), b"x" * 32)
    one, two = uuid4(), uuid4()

    hashes = {codes.hash_code(k, i, "123456") for k, i in product((key, other), (one, two))}

    assert len(hashes) == 4
    assert codes.hash_code(key, one, "123456") in hashes


@given(st.lists(st.integers(0, 14 * 60), max_size=8))
def test_wait_ends_when_only_two_requests_are_left_in_the_window(ages_s: list[int]) -> None:
    requested = [NOW - timedelta(seconds=age) for age in ages_s]

    wait = codes.wait_s(requested, NOW)

    if len(requested) < codes.CONVERSATION_LIMIT:
        assert wait == 0
        return
    later = NOW + timedelta(seconds=wait)
    still = [r for r in requested if r > later - codes.CONVERSATION_WINDOW]
    assert wait > 0
    assert len(still) < codes.CONVERSATION_LIMIT


# --- second factor ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unix", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
    ],
)
def test_codes_are_those_of_the_standard(unix: int, code: str) -> None:
    at = datetime.fromtimestamp(unix, UTC)

    assert totp.code_at(RFC_SECRET, at) == code
    assert totp.accepts(RFC_SECRET, code, now=at, last_login_at=None)


def test_code_of_the_step_before_serves_and_none_other() -> None:
    step = timedelta(seconds=30)
    for shift, served in ((-2, False), (-1, True), (0, True), (1, False)):
        code = totp.code_at(RFC_SECRET, NOW + shift * step)
        assert totp.accepts(RFC_SECRET, code, now=NOW, last_login_at=None) is served


def test_code_serves_no_second_login() -> None:
    code = totp.code_at(RFC_SECRET, NOW)

    for seconds in range(0, 60, 7):
        now = NOW + timedelta(seconds=seconds)
        assert not totp.accepts(RFC_SECRET, code, now=now, last_login_at=NOW)


@pytest.mark.parametrize("code", ["", "28708", "2870820", "٢٨٧٠٨٢", "abcdef"])
def test_what_is_no_code_is_refused(code: str) -> None:
    at = datetime.fromtimestamp(59, UTC)

    assert not totp.accepts(RFC_SECRET, code, now=at, last_login_at=None)


@pytest.mark.parametrize("secret", ["", "ABC", "not base32!", "JBSWY3DPEHPK3PXP"])
def test_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(RuleBroken, match=r"staff\.totp"):
        totp.check_secret(secret)


def test_secret_may_be_typed_in_groups() -> None:
    assert totp.check_secret(f"{RFC_SECRET[:4].lower()} {RFC_SECRET[4:]}") == RFC_SECRET


# --- roles --------------------------------------------------------------------------------------


def test_advisor_neither_reads_the_audit_nor_opens_accounts() -> None:
    advisor = Actor(SubjectId(uuid4()), IdentityLevel.VERIFIED, role=Role.ADVISOR)

    for area, write in ((Area.AUDIT, False), (Area.RUNS, False), (Area.STAFF, True)):
        assert not may(advisor, area, write=write)
        with pytest.raises(Denied, match=r"auth\.role"):
            require(advisor, area, write=write)
    for area in (Area.PEOPLE, Area.CONVERSATIONS, Area.TICKETS):
        require(advisor, area, write=True)


@pytest.mark.parametrize(("area", "write"), list(product(Area, (False, True))))
def test_student_enters_no_area(area: Area, write: bool) -> None:
    student = Actor(SubjectId(uuid4()), IdentityLevel.VERIFIED, person_id=PersonId(uuid4()))

    assert not may(student, area, write=write)


@pytest.mark.parametrize("role", list(Role))
def test_nobody_writes_the_audit(role: Role) -> None:
    assert not may(Actor(SubjectId(uuid4()), role=role), Area.AUDIT, write=True)
