"""A client that costs little: it shares the machine with what it measures."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from crm.errors import Unavailable
from evals.bench.api.serving import HOST


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is made again and again, by turns of many people about many things.

    Args:
        paths: asked for in turn.
        credentials: header lines, of each caller in turn; none for a peer that knows nobody.
        once: send a new idempotency key each time.
    """

    method: str
    paths: tuple[str, ...]
    expected: int
    credentials: tuple[str, ...] = ()
    body: bytes = b""
    once: bool = False

    def wire(self, number: int, key: str) -> bytes:
        """Return the bytes of one request."""
        path = self.paths[number % len(self.paths)]
        lines = [f"{self.method} {path} HTTP/1.1", f"Host: {HOST}"]
        if self.credentials:
            lines.append(self.credentials[number % len(self.credentials)])
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        if self.once:
            lines.append(f"Idempotency-Key: {key}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


async def requests_per_second(port: int, call: Call, *, requests: int, clients: int) -> float:
    """Make requests over so many kept connections, each waiting for its answer.

    Raises: Unavailable("bench.answer"): an answer is not the expected one.
    """
    numbers, run = iter(range(requests)), time.time_ns()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for client in range(clients):
            group.create_task(_client(port, call, numbers, f"{run}-{client}"))
    return requests / (time.perf_counter() - begun)


async def _client(port: int, call: Call, numbers: Iterator[int], name: str) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    keys = count()
    try:
        for number in numbers:
            writer.write(call.wire(number, f"{name}-{next(keys)}"))
            await _answer(reader, call.expected)
    finally:
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader, expected: int) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    length = int(head.partition("content-length:")[2].split("\r\n", 1)[0])
    body = await reader.readexactly(length)
    if status != expected:
        raise Unavailable("bench.answer", f"Answered {status}: {body[:200]!r}")
