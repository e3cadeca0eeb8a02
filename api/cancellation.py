"""Ends background tasks for good."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def end_tasks(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel until it takes.

    Closing a connection while being cancelled can raise an error of its own in the place of the
    cancellation; code that survives errors then goes on as if nobody had asked it to end.
    """
    remaining = set(tasks)
    while remaining:
        for task in remaining:
            task.cancel()
        _, remaining = await asyncio.wait(remaining, timeout=0.5)
