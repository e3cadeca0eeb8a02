"""Appends a conversation's events to its Redis stream under ids that only grow."""

import json
import logging
import time
from uuid import UUID

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)

#: Every event is announced here; who holds open connections reads the stream it names.
CHANNEL = "orienta:events"

# KEYS: stream, epoch, told   ARGV: ordinal, epoch, kind, data, maxlen, ttl, conversation, told?
# The id is the run's ordinal, or the newest one if that is greater, and a counter: ids never
# repeat and never fall back, even when an advisor's message overtakes a run.
_APPEND = (
    """
local epoch = tonumber(ARGV[2])
if epoch > 0 then
  local seen = tonumber(redis.call('GET', KEYS[2]) or '0')
  if epoch < seen then return false end
  redis.call('SET', KEYS[2], epoch, 'EX', ARGV[6])
end
if ARGV[8] == '1' and not redis.call('SET', KEYS[3], '1', 'NX', 'EX', 86400) then return false end
local ordinal, counter = tonumber(ARGV[1]), 1
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if top[1] then
  local dash = string.find(top[1][1], '-')
  local last = tonumber(string.sub(top[1][1], 1, dash - 1))
  if last >= ordinal then
    ordinal, counter = last, tonumber(string.sub(top[1][1], dash + 1)) + 1
  end
end
local id = string.format('%d-%d', ordinal, counter)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], id, 'kind', ARGV[3], 'data', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', '"""
    + CHANNEL
    + """', ARGV[7])
return id
"""
)

#: After a failure nothing is tried for so long: a turn must not wait for Redis event by event.
_PAUSE_S = 1.0


def stream_key(conversation_id: UUID) -> str:
    """Return the key of a conversation's stream."""
    return f"orienta:stream:{{{conversation_id}}}"


def connect(url: str) -> "aioredis.Redis":
    """Return a client that fails at once when Redis is down: every user of it can do without."""
    return aioredis.Redis.from_url(
        url, decode_responses=True, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1)
    )


class RedisEventStream:
    """The live events of conversations; without Redis they are dropped and clients reload.

    Args:
        maxlen: about how many events a conversation keeps.
        ttl_s: seconds after its last event until the stream is forgotten.
    """

    def __init__(self, client: "aioredis.Redis", *, maxlen: int, ttl_s: int) -> None:
        self._append = client.register_script(_APPEND)
        self._maxlen = maxlen
        self._ttl_s = ttl_s
        self._down_until = 0.0

    async def append(
        self, conversation_id: UUID, kind: str, data: dict[str, object], *, ordinal: int, epoch: int
    ) -> None:
        """Send an event of a run; dropped when a later lease's holder has begun to write."""
        await self._send(conversation_id, kind, data, ordinal=ordinal, epoch=epoch, once=None)

    async def append_message(
        self, conversation_id: UUID, message_id: UUID, data: dict[str, object], *, ordinal: int
    ) -> bool:
        """Send a stored message, once per message id; False when it could not be sent."""
        return await self._send(
            conversation_id, "message", data, ordinal=ordinal, epoch=0, once=message_id
        )

    async def _send(
        self,
        conversation_id: UUID,
        kind: str,
        data: dict[str, object],
        *,
        ordinal: int,
        epoch: int,
        once: UUID | None,
    ) -> bool:
        tag = f"{{{conversation_id}}}"
        keys = [stream_key(conversation_id), f"orienta:epoch:{tag}", f"orienta:told:{tag}:{once}"]
        text = json.dumps(data, ensure_ascii=False, default=str)
        told = "1" if once else "0"
        args: list[str | int] = [
            ordinal,
            epoch,
            kind,
            text,
            self._maxlen,
            self._ttl_s,
            str(conversation_id),
            told,
        ]
        if time.monotonic() < self._down_until:
            return False
        try:
            await self._append(keys=keys, args=args)
        except (RedisError, OSError) as outage:
            self._down_until = time.monotonic() + _PAUSE_S
            # What lasts is in PostgreSQL; a client that misses this reloads its messages.
            _log.warning("event %s not sent: %s", kind, type(outage).__name__)
            return False
        return True
