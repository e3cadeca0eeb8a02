"""Work that is cancelled at any await one likes, as a shutdown would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

T = TypeVar("T")


class Dying:
    """Drives a coroutine and cancels it at its n-th suspension, as a shutdown would.

    Args:
        at: the suspension at which it dies; later ones are the tidying up, which goes on.
    """

    def __init__(self, work: Coroutine[Any, Any, object], at: int) -> None:
        self._work = work
        self._left = at
        self.died = False

    def __await__(self) -> Generator[Any, Any, object]:
        task = asyncio.current_task()
        assert task is not None
        steps = self._work.__await__()
        answer: Any = None
        error: BaseException | None = None
        while True:
            try:
                suspended = steps.throw(error) if error else steps.send(answer)
            except StopIteration as end:
                return end.value
            self._left -= 1
            if self._left == 0:
                self.died = True
                task.cancel()
            try:
                answer, error = (yield suspended), None
            except BaseException as thrown:  # noqa: BLE001 handed on to the work
                answer, error = None, thrown


async def die(work: Coroutine[Any, Any, object], at: int) -> bool:
    """Run until the n-th suspension; return whether it got so far."""
    dying = Dying(work, at)

    async def run() -> None:
        await dying

    await asyncio.wait({asyncio.create_task(run())})
    return dying.died


async def outlive(work: Coroutine[Any, Any, T], at: int) -> T | None:
    """Run until the n-th suspension; return what came of it, or None if it died there."""

    async def run() -> Any:
        return await Dying(work, at)

    task = asyncio.create_task(run())
    await asyncio.wait({task})
    return None if task.cancelled() else task.result()
