"""Fans events out to open connections: one subscription a process, whatever their number."""

import asyncio
import contextlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from api.cancellation import end_tasks
from api.streams.stream import CHANNEL, stream_key

_log = logging.getLogger(__name__)

_ID = re.compile(r"\d{1,19}-\d{1,19}")
_BATCH = 200
#: A wake-up can be lost with the subscription; this is how long its event then waits.
_RECHECK_S = 15.0


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as it goes over the wire; `id` is None for those that are not in the stream."""

    id: str | None
    kind: str
    data: dict[str, object]


#: Not for clients: connections look again whether their session holds.
SESSIONS_CHANGED = "sessions_changed"
RESYNC = StreamEvent(None, "resync", {})


class EventHub:
    """Lets any number of connections follow conversations."""

    def __init__(self, client: "aioredis.Redis") -> None:
        self._redis = client
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._outages = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for wake-ups while the block runs."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            await end_tasks([task])

    async def _listen(self) -> None:
        while True:
            try:
                await self._relay_wakeups()
            except (RedisError, OSError) as outage:
                _log.warning("event subscription lost: %s", type(outage).__name__)
                self._outages += 1
                self._wake_all()
                await asyncio.sleep(1.0)

    async def _relay_wakeups(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            self._wake_all()
            async for message in pubsub.listen():
                if message["type"] == "message":
                    self._wake(str(message["data"]))

    def _wake(self, conversation_id: str) -> None:
        for waiting in self._waiting.get(conversation_id, ()):
            waiting.set()

    def _wake_all(self) -> None:
        for conversation_id in list(self._waiting):
            self._wake(conversation_id)

    async def follow(
        self, conversation_id: UUID, *, after: str | None
    ) -> AsyncGenerator[StreamEvent | None, None]:
        """Yield events after a position, for ever; None after a quiet while (a heartbeat).

        A position that the stream cannot continue from, and an outage, answer `resync`: whoever
        follows reloads the messages and goes on from what comes next.

        Args:
            after: an id seen before; None starts with what the stream still holds.
        """
        wake = asyncio.Event()
        self._waiting[str(conversation_id)].add(wake)
        try:
            position, lost = await self._start(conversation_id, after)
            if lost:
                yield RESYNC
            outages, failed = self._outages, False
            while True:
                wake.clear()
                recovering = failed or outages != self._outages
                outages = self._outages
                if recovering:
                    position = await self._recover(conversation_id, position)
                events, position, failed = await self._read(conversation_id, position)
                for event in events:
                    yield event
                if failed or recovering:
                    yield RESYNC
                if len(events) < _BATCH and not await _wait(wake):
                    yield None
        finally:
            self._waiting[str(conversation_id)].discard(wake)
            if not self._waiting[str(conversation_id)]:
                del self._waiting[str(conversation_id)]

    async def _start(self, conversation_id: UUID, after: str | None) -> tuple[str, bool]:
        """Return where to read from, and whether events before it are lost."""
        if after is None:
            return "0-0", False
        if not _ID.fullmatch(after):
            return "0-0", True
        try:
            found = await self._redis.xrange(stream_key(conversation_id), after, after)
        except (RedisError, OSError):
            found = []
        return (after, False) if found else ("0-0", True)

    async def _recover(self, conversation_id: UUID, position: str) -> str:
        """Return where to go on after an outage: a stream that was lost begins again below."""
        try:
            found = await self._redis.xrange(stream_key(conversation_id), position, position)
        except (RedisError, OSError):
            return position
        return position if found else "0-0"

    async def _read(
        self, conversation_id: UUID, position: str
    ) -> tuple[list[StreamEvent], str, bool]:
        try:
            entries = await self._redis.xrange(
                stream_key(conversation_id), f"({position}", "+", count=_BATCH
            )
        except (RedisError, OSError):
            return [], position, True
        events = [_event(entry) for entry in entries or ()]
        return events, (events[-1].id if events else None) or position, False


def _event(entry: Any) -> StreamEvent:
    """Read an entry; the client decodes answers to text, which its types do not say."""
    event_id, fields = entry
    return StreamEvent(event_id, fields["kind"], json.loads(fields["data"]))


async def _wait(wake: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_RECHECK_S):
            await wake.wait()
            return True
    return False
