"""Checkpoints in memory while a graph runs, in PostgreSQL only while it waits for a decision.

Writing every step costs more than the turn itself and keeps nothing that the message log does not
have; what must survive the process is the point where a student was asked.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver


class InterruptSaver(InMemorySaver):
    """A saver whose threads can be put aside and fetched back.

    Args:
        lasting: where threads that wait are kept.
    """

    def __init__(self, lasting: BaseCheckpointSaver[str]) -> None:
        super().__init__(serde=lasting.serde)
        self._lasting = lasting

    async def keep(self, thread_id: str) -> None:
        """Write the newest checkpoints of a waiting thread where they survive the process."""
        await _to_the_end(self._keep(thread_id))

    async def _keep(self, thread_id: str) -> None:
        for namespace in list(self.storage[thread_id]):
            newest = await self.aget_tuple(_config(thread_id, namespace))
            if newest is not None:
                stored = await self._lasting.aput(
                    _config(thread_id, namespace),
                    newest.checkpoint,
                    newest.metadata,
                    newest.checkpoint["channel_versions"],
                )
                for task_id, writes in _by_task(newest).items():
                    await self._lasting.aput_writes(stored, writes, task_id)

    async def fetch(self, thread_id: str) -> bool:
        """Read a waiting thread back into memory; False when it is not there (any more)."""
        self.delete_thread(thread_id)
        found = False
        async for kept in self._lasting.alist({"configurable": {"thread_id": thread_id}}):
            found = True
            namespace = kept.config["configurable"]["checkpoint_ns"]
            stored = self.put(
                _config(thread_id, namespace),
                kept.checkpoint,
                kept.metadata,
                kept.checkpoint["channel_versions"],
            )
            for task_id, writes in _by_task(kept).items():
                self.put_writes(stored, writes, task_id)
        return found

    async def forget(self, thread_id: str) -> None:
        """Forget a thread that was kept."""
        self.delete_thread(thread_id)
        await _to_the_end(self._lasting.adelete_thread(thread_id))


async def _to_the_end(write: Coroutine[Any, Any, None]) -> None:
    """Finish a write even when its caller is cancelled.

    The lasting saver writes in a pipeline. One that is cut short leaves its connection in pipeline
    mode, and the pool lends it on: whoever then counts the rows of a statement counts -1.
    """
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _config(thread_id: str, namespace: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace}}


def _by_task(kept: CheckpointTuple) -> dict[str, list[tuple[str, Any]]]:
    writes: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in kept.pending_writes or ():
        writes.setdefault(task_id, []).append((channel, value))
    return writes
