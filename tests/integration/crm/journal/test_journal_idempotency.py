"""One key, one effect, one result, however many ask at once."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import Conflict, Unavailable
from crm.ids import new_id
from crm.journal import idempotency, store
from crm.journal.idempotency import IdempotencyKey, Replay

Archive = Any
EFFECTS = "SELECT count(*) FROM areas WHERE code LIKE %s"


def _key() -> IdempotencyKey:
    return IdempotencyKey("tool", str(new_id()), new_id())


async def _act(archive: Archive, key: IdempotencyKey, arguments: dict[str, object]) -> object:
    async with archive.database.transaction() as uow:
        if replay := await idempotency.claim(uow, key, arguments):
            return replay.result
        code = f"{key.key}:{new_id()}"
        await archive.write_area(uow, code)
        await idempotency.complete(uow, key, {"code": code})
        return {"code": code}


async def test_ten_calls_at_once_have_one_effect_and_one_result(archive: Archive) -> None:
    key = _key()

    results = await asyncio.gather(*(_act(archive, key, {"n": 1}) for _ in range(10)))

    assert all(result == results[0] for result in results)
    assert await archive.count(EFFECTS, f"{key.key}:%") == 1


async def test_other_arguments_are_an_error_also_at_once(archive: Archive) -> None:
    key = _key()

    results = await asyncio.gather(
        *(_act(archive, key, {"n": n % 2}) for n in range(10)), return_exceptions=True
    )

    refused = [r for r in results if isinstance(r, Conflict)]
    assert [r.code for r in refused] == ["idempotency.mismatch"] * 5
    assert await archive.count(EFFECTS, f"{key.key}:%") == 1


async def test_order_of_arguments_does_not_matter(archive: Archive) -> None:
    key = _key()

    first = await _act(archive, key, {"a": 1, "b": {"c": 2, "d": 3}})

    assert await _act(archive, key, {"b": {"d": 3, "c": 2}, "a": 1}) == first


async def test_rolled_back_call_leaves_the_key_to_the_next(archive: Archive) -> None:
    key = _key()

    async def fails() -> None:
        async with archive.database.transaction() as uow:
            assert await idempotency.claim(uow, key, {}) is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()

    assert await _act(archive, key, {}) == await _act(archive, key, {})
    assert await archive.count(EFFECTS, f"{key.key}:%") == 1


async def test_waiting_call_takes_over_when_the_first_rolls_back(archive: Archive) -> None:
    key, claimed = _key(), asyncio.Event()

    async def fails() -> None:
        async with archive.database.transaction() as uow:
            await idempotency.claim(uow, key, {})
            claimed.set()
            await _somebody_waits(archive)
            raise ZeroDivisionError

    first = asyncio.create_task(fails())
    await claimed.wait()
    second = asyncio.create_task(_act(archive, key, {}))

    with pytest.raises(ZeroDivisionError):
        await first
    assert await second == await _act(archive, key, {})


async def _somebody_waits(archive: Archive) -> None:
    """Return once another connection waits for a transaction to end."""
    sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    while not await archive.count(sql):
        pass


async def test_result_is_sealed(archive: Archive) -> None:
    key = _key()
    async with archive.database.transaction() as uow:
        await idempotency.claim(uow, key, {"text": "hola"})
        await idempotency.complete(uow, key, {"text": "secreto"})

    sql = "SELECT count(*) FROM idempotency_keys WHERE key = %s AND position(%s in result) > 0"
    assert await archive.count(sql, key.key, b"secreto") == 0
    async with archive.database.transaction() as uow:
        assert await idempotency.claim(uow, key, {"text": "hola"}) == Replay({"text": "secreto"})


async def test_erased_subject_gets_no_more_keys(archive: Archive) -> None:
    key = _key()
    await _act(archive, key, {})
    await archive.execute(
        "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = now() WHERE subject_id = %s",
        key.subject_id,
    )

    with pytest.raises(Unavailable, match=r"subject\.erased"):
        await _act(archive, key, {})


async def test_key_that_is_forgotten_while_it_is_looked_up_is_taken(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _key()
    first = await _act(archive, key, {"n": 1})
    look_up = store.select_key

    async def forgotten(conn: Any, *, scope: str, key: str) -> Any:
        await archive.execute("DELETE FROM idempotency_keys WHERE key = %s", key)
        return await look_up(conn, scope=scope, key=key)

    monkeypatch.setattr(store, "select_key", forgotten)
    again = await _act(archive, key, {"n": 1})

    assert again != first
    assert await archive.count("SELECT count(*) FROM idempotency_keys WHERE key = %s", key.key) == 1


CALLS = st.lists(
    st.tuples(
        st.sampled_from(["key", "other"]),
        st.sampled_from(["tool", "http"]),
        st.sampled_from([{"n": 1}, {"n": 2}, {"n": "1"}, {}]),
        st.sampled_from(["whole", "whole", "breaks", "twice at once"]),
    ),
    max_size=10,
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(calls=CALLS)
async def test_key_means_its_first_call_in_any_order_of_calls(
    archive: Archive, calls: list[tuple[str, str, dict[str, object], str]]
) -> None:
    """Invariant 6: same arguments, same result; other arguments, an error; one effect a key."""
    tag, subject = new_id().hex, new_id()
    first: dict[IdempotencyKey, tuple[dict[str, object], object]] = {}
    for name, scope, arguments, how in calls:
        key = IdempotencyKey(scope, f"{tag}-{name}", subject)
        before = first.get(key)
        if how == "breaks":
            await _break_off(archive, key, arguments, mismatches=before is not None)
            continue
        attempts = [_act(archive, key, arguments) for _ in range(1 + (how == "twice at once"))]
        for result in await asyncio.gather(*attempts, return_exceptions=True):
            if before and before[0] != arguments:
                assert isinstance(result, Conflict)
                assert result.code == "idempotency.mismatch"
            else:
                assert result == first.setdefault(key, (arguments, result))[1]
                assert isinstance(result, dict)
    assert await archive.count(EFFECTS, f"{tag}-%") == len(first)


async def _break_off(
    archive: Archive, key: IdempotencyKey, arguments: dict[str, object], *, mismatches: bool
) -> None:
    """Take a key, where it is free, in a transaction that comes to nothing."""
    with suppress(ZeroDivisionError, *([Conflict] if mismatches else [])):
        async with archive.database.transaction() as uow:
            await idempotency.claim(uow, key, arguments)
            raise ZeroDivisionError
