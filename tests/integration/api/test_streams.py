"""Event ids only grow, late writers are dropped, and whoever reconnects misses nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import redis.asyncio as aioredis

from api.streams.hub import EventHub, StreamEvent
from api.streams.stream import RedisEventStream, connect, stream_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="module")
async def client(redis_url: str) -> AsyncIterator[aioredis.Redis]:
    connected = connect(redis_url)
    yield connected
    await connected.aclose()


@pytest.fixture
def stream(client: aioredis.Redis) -> RedisEventStream:
    return RedisEventStream(client, maxlen=1_000, ttl_s=60)


@pytest.fixture
async def hub(client: aioredis.Redis) -> AsyncIterator[EventHub]:
    hub = EventHub(client)
    async with hub.running():
        yield hub


async def ids_of(client: aioredis.Redis, conversation_id: UUID) -> list[str]:
    return [i for i, _ in await client.xrange(stream_key(conversation_id))]


async def take(
    hub: EventHub, conversation_id: UUID, n: int, after: str | None
) -> list[StreamEvent]:
    seen: list[StreamEvent] = []
    async with asyncio.timeout(20):
        async for event in hub.follow(conversation_id, after=after):
            if event is not None:
                seen.append(event)
            if len(seen) == n:
                break
    return seen


async def test_ids_are_the_runs_ordinal_and_a_counter(
    client: aioredis.Redis, stream: RedisEventStream
) -> None:
    conversation = uuid4()
    for ordinal in (7, 7, 9):
        await stream.append(conversation, "token", {}, ordinal=ordinal, epoch=1)
    assert await ids_of(client, conversation) == ["7-1", "7-2", "9-1"]


async def test_an_overtaken_run_goes_on_above_what_overtook_it(
    client: aioredis.Redis, stream: RedisEventStream
) -> None:
    conversation = uuid4()
    await stream.append(conversation, "token", {}, ordinal=5, epoch=1)
    await stream.append_message(conversation, uuid4(), {}, ordinal=8)
    await stream.append(conversation, "token", {}, ordinal=5, epoch=1)
    assert await ids_of(client, conversation) == ["5-1", "8-1", "8-2"]


async def test_a_holder_that_lost_its_lease_cannot_append(
    client: aioredis.Redis, stream: RedisEventStream
) -> None:
    conversation = uuid4()
    await stream.append(conversation, "token", {"by": "first"}, ordinal=1, epoch=1)
    await stream.append(conversation, "token", {"by": "second"}, ordinal=1, epoch=2)
    await stream.append(conversation, "token", {"by": "first again"}, ordinal=1, epoch=1)
    assert len(await ids_of(client, conversation)) == 2


async def test_a_stored_message_is_announced_once(
    client: aioredis.Redis, stream: RedisEventStream
) -> None:
    conversation, message = uuid4(), uuid4()
    await asyncio.gather(
        *(stream.append_message(conversation, message, {}, ordinal=3) for _ in range(10))
    )
    assert await ids_of(client, conversation) == ["3-1"]


async def test_followers_get_what_was_and_what_comes(
    stream: RedisEventStream, hub: EventHub
) -> None:
    conversation = uuid4()
    await stream.append(conversation, "run_started", {}, ordinal=1, epoch=1)
    following = [asyncio.create_task(take(hub, conversation, 3, None)) for _ in range(2)]
    for text in ("Hola.", "¿Qué tal?"):
        await stream.append(conversation, "token", {"text": text}, ordinal=1, epoch=1)
    first, second = await asyncio.gather(*following)
    assert first == second
    assert [e.kind for e in first] == ["run_started", "token", "token"]


async def test_reconnecting_continues_after_the_position(
    stream: RedisEventStream, hub: EventHub
) -> None:
    conversation = uuid4()
    for n in range(450):  # more than one batch
        await stream.append(conversation, "token", {"n": n}, ordinal=1, epoch=1)
    events = await take(hub, conversation, 350, "1-100")
    assert [e.data["n"] for e in events] == list(range(100, 450))


@pytest.mark.parametrize("position", ["1-2", "99-1", "x", "", "1-1; DROP"])
async def test_a_position_that_is_not_there_asks_to_read_again(
    stream: RedisEventStream, hub: EventHub, position: str
) -> None:
    conversation = uuid4()
    await stream.append(conversation, "token", {}, ordinal=1, epoch=1)
    events = await take(hub, conversation, 2, position)
    assert [e.kind for e in events] == ["resync", "token"]


async def test_without_redis_nothing_is_raised_and_followers_are_told() -> None:
    nobody = connect("redis://127.0.0.1:9")
    stream = RedisEventStream(nobody, maxlen=10, ttl_s=10)
    await stream.append(uuid4(), "token", {}, ordinal=1, epoch=1)
    events = await take(EventHub(nobody), uuid4(), 1, None)
    assert [e.kind for e in events] == ["resync"]
    await nobody.aclose()
