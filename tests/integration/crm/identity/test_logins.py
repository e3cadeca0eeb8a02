"""Staff log in, are locked out, and leave a record."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from crm.actor import SERVICE_ACTOR, Role
from crm.clock import FixedClock
from crm.errors import Conflict, Denied, NotFound, RuleBroken, Throttled, Unauthenticated
from crm.identity.models import CreateStaff, staff_actor
from crm.identity.totp import code_at
from crm.ids import StaffId, new_id

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
House = Any


async def _error(call: Awaitable[object]) -> tuple[type[Exception], str]:
    with pytest.raises((Unauthenticated, Throttled)) as caught:
        await call
    return type(caught.value), str(caught.value)


async def test_right_password_opens_a_session_for_its_hours(
    house: House, clock: FixedClock, password: str
) -> None:
    staff = await house.new_staff(role=Role.ADMIN)

    login = await house.identity.login(f" {staff.email.upper()} ", password)
    actor = await house.identity.staff_by_token(login.access_token)

    assert (actor.staff_id, actor.subject_id, actor.role) == (staff.id, staff.id, Role.ADMIN)
    clock.advance(timedelta(hours=12))
    assert login.expires_at == clock.now()
    with pytest.raises(Unauthenticated, match=r"auth\.token"):
        await house.identity.staff_by_token(login.access_token)


async def test_token_is_stored_as_a_hash_only(house: House, password: str) -> None:
    staff = await house.new_staff()

    login = await house.identity.login(staff.email, password)

    token = login.access_token.encode()
    sql = "SELECT count(*) FROM staff_sessions WHERE token_hash = %s"
    assert await house.count(sql, token) == 0
    assert await house.count(f"{sql} OR token_hash = sha256(%s)", token, token) == 1
    assert token.decode() not in repr(login)


async def test_logout_ends_the_session(house: House, password: str) -> None:
    staff = await house.new_staff()
    login = await house.identity.login(staff.email, password)

    await house.identity.logout(login.access_token)

    with pytest.raises(Unauthenticated, match=r"auth\.token"):
        await house.identity.staff_by_token(login.access_token)
    with pytest.raises(Unauthenticated, match=r"auth\.token"):
        await house.identity.logout(login.access_token)


async def test_inactive_account_loses_its_sessions_and_logins(house: House, password: str) -> None:
    staff = await house.new_staff()
    login = await house.identity.login(staff.email, password)

    async with house.database.transaction() as uow:
        await uow.conn.execute("UPDATE staff SET active = false WHERE id = %s", [staff.id])

    with pytest.raises(Unauthenticated, match=r"auth\.token"):
        await house.identity.staff_by_token(login.access_token)
    with pytest.raises(Unauthenticated, match=r"auth\.credentials"):
        await house.identity.login(staff.email, password)


async def test_unknown_address_and_wrong_password_fail_alike_until_both_are_locked(
    house: House, password: str
) -> None:
    known = (await house.new_staff()).email
    unknown = f"{new_id()}@andino.example"

    outcomes = {
        address: [await _error(house.identity.login(address, "not the password")) for _ in range(6)]
        for address in (known, unknown)
    }

    assert outcomes[known] == outcomes[unknown]
    assert [kind for kind, _ in outcomes[known]] == [Unauthenticated] * 5 + [Throttled]


async def test_unknown_address_is_hashed_as_long_as_a_known_one(house: House) -> None:
    hashed: list[str] = []
    verify: Callable[[str, str], bool] = house.identity._passwords._verify
    house.identity._passwords._verify = lambda h, p: hashed.append(h) or verify(h, p)
    known = (await house.new_staff()).email

    for address in (known, f"{new_id()}@andino.example"):
        await _error(house.identity.login(address, "not the password"))

    parameters = {encoded.rpartition("$")[0].rpartition("$")[0] for encoded in hashed}
    assert len(hashed) == 2
    assert len(parameters) == 1


async def test_lock_out_ends_after_fifteen_minutes(
    house: House, clock: FixedClock, password: str
) -> None:
    staff = await house.new_staff()
    for _ in range(5):
        await _error(house.identity.login(staff.email, "not the password"))

    with pytest.raises(Throttled) as caught:
        await house.identity.login(staff.email, password)
    assert 14 * 60 < caught.value.retry_after_s <= 15 * 60 + 1

    clock.advance(timedelta(minutes=15))
    assert (await house.identity.login(staff.email, password)).staff.id == staff.id


async def test_success_forgets_earlier_failures(house: House, password: str) -> None:
    staff = await house.new_staff()
    for _ in range(2):
        for _ in range(4):
            await _error(house.identity.login(staff.email, "not the password"))
        await house.identity.login(staff.email, password)


async def test_parallel_guesses_get_no_more_than_five_looks_at_the_password(house: House) -> None:
    staff = await house.new_staff()

    outcomes = await asyncio.gather(
        *(_error(house.identity.login(staff.email, f"guess number {n}")) for n in range(20))
    )

    kinds = [kind for kind, _ in outcomes]
    assert (kinds.count(Unauthenticated), kinds.count(Throttled)) == (5, 15)


async def test_every_attempt_is_audited_also_the_refused_ones(house: House, password: str) -> None:
    staff = await house.new_staff()
    await _error(house.identity.login(staff.email, "not the password"))
    login = await house.identity.login(staff.email, password)
    await house.identity.logout(login.access_token)

    mine = [
        (r.header["outcome"], r.header["error_code"], r.header["actor_level"])
        for action in ("staff.login", "staff.logout")
        for r in await house.audits(action)
        if r.header["staff_id"] == staff.id
    ]
    assert mine == [("ok", None, 2), ("refused", "auth.credentials", 0), ("ok", None, 2)]
    assert (await house.journal.verify_chains()).broken == ()


async def test_no_password_is_ever_recorded(house: House) -> None:
    typed = "a password typed into the address field"
    await _error(house.identity.login(typed, typed))

    page = await house.journal.list_audit_events({}, cursor=None, limit=200)
    assert typed not in repr(page.items)


async def test_second_factor_is_asked_for_checked_and_used_once(
    house: House, clock: FixedClock, password: str
) -> None:
    staff = await house.new_staff(totp_secret=SECRET)
    code = code_at(SECRET, clock.now())

    with pytest.raises(Unauthenticated, match=r"auth\.totp"):
        await house.identity.login(staff.email, password)
    with pytest.raises(Unauthenticated, match=r"auth\.credentials"):
        await house.identity.login(staff.email, password, totp="000000")
    await house.identity.login(staff.email, password, totp=code)
    with pytest.raises(Unauthenticated, match=r"auth\.credentials"):
        await house.identity.login(staff.email, password, totp=code)

    clock.advance(timedelta(seconds=30))
    await house.identity.login(staff.email, password, totp=code_at(SECRET, clock.now()))


async def test_one_code_serves_one_of_two_logins_at_once(
    house: House, clock: FixedClock, password: str
) -> None:
    staff = await house.new_staff(totp_secret=SECRET)
    code = code_at(SECRET, clock.now())

    outcomes = await asyncio.gather(
        *(house.identity.login(staff.email, password, totp=code) for _ in range(3)),
        return_exceptions=True,
    )

    assert sum(isinstance(o, Unauthenticated) for o in outcomes) == 2


async def test_second_factor_is_sealed_at_rest(house: House) -> None:
    staff = await house.new_staff(totp_secret=SECRET)

    sql = "SELECT count(*) FROM staff WHERE id = %s AND totp_secret IS NOT NULL"
    assert await house.count(sql, staff.id) == 1
    assert await house.count(f"{sql} AND position(%s in totp_secret) > 0", staff.id, SECRET) == 0


async def test_advisor_opens_no_accounts_and_lists_none(house: House) -> None:
    advisor = staff_actor(await house.new_staff())
    command = CreateStaff(
        email=f"{new_id()}@andino.example", name="Eva", role=Role.ADMIN, password="long enough 123"
    )

    with pytest.raises(Denied, match=r"auth\.role"):
        await house.identity.create_staff(command, actor=advisor)
    with pytest.raises(Denied, match=r"auth\.role"):
        await house.identity.list_staff(actor=advisor)


async def test_address_of_a_colleague_is_refused(house: House) -> None:
    staff = await house.new_staff()
    command = CreateStaff(
        email=staff.email.upper(), name="Eva", role=Role.ADVISOR, password="long enough 123"
    )

    with pytest.raises(Conflict, match=r"staff\.email_taken"):
        await house.identity.create_staff(command, actor=SERVICE_ACTOR)


async def test_staff_are_listed_by_name_in_pages(house: House) -> None:
    made = {(await house.new_staff()).id for _ in range(5)}
    admin = staff_actor(await house.new_staff(role=Role.ADMIN))

    seen, cursor = [], None
    while True:
        page = await house.identity.list_staff(actor=admin, cursor=cursor, limit=2)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert made <= {s.id for s in seen}
    assert len({s.id for s in seen}) == len(seen)
    assert [s.name for s in seen] == sorted(s.name for s in seen)
    with pytest.raises(RuleBroken, match=r"page\.cursor"):
        await house.identity.list_staff(actor=admin, cursor="WyJhIiwiYiJd")


async def test_unknown_member_of_staff_is_not_found(house: House) -> None:
    with pytest.raises(NotFound, match=r"staff\.unknown"):
        await house.identity.get_staff(StaffId(new_id()))
