"""Kills processes with SIGKILL once they work, and starts them again."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence

from evals.chaos.processes import KillablePostgres, Process

#: How long a process may work before it is killed.
_LEAST_LIFE_S, _LONGEST_LIFE_S = 1.0, 7.0
_WATCH_S = 1.0


class Killer:
    """Kills each victim over and over, never before it has come up.

    Args:
        kills: how many there shall be, those at crash points among them.
        progress: how far the rest of the experiment is, from 0 to 1: the kills are spread over it.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        postgres: KillablePostgres,
        dice: random.Random,
        *,
        kills: int,
        progress: Callable[[], float],
    ) -> None:
        self._processes, self._postgres = processes, postgres
        self._dice, self._kills, self._progress = dice, kills, progress
        self.killed: Counter[str] = Counter()

    async def kill(self) -> None:
        """Kill until there were enough."""
        async with asyncio.TaskGroup() as group:
            for process in self._processes:
                group.create_task(self._kill_process(process))
            group.create_task(self._kill_postgres())

    async def watch(self) -> None:
        """Start again what died by itself at a crash point."""
        while True:
            await asyncio.sleep(_WATCH_S)
            for process in self._processes:
                if process.is_dead:
                    self.killed[f"{process.name} at a crash point"] += 1
                    process.start()

    @property
    def _is_enough(self) -> bool:
        return self.killed.total() >= self._kills

    async def _kill_process(self, process: Process) -> None:
        while True:
            await asyncio.to_thread(process.wait_ready)
            await self._let_live()
            if self._is_enough:
                return
            if not process.is_dead:
                process.kill()
                self.killed[process.name] += 1
                process.start()

    async def _kill_postgres(self) -> None:
        while True:
            # It is up in a second, where the others take several: it would die most of the time.
            await self._let_live()
            await self._let_live()
            if self._is_enough:
                return
            self._postgres.kill()
            self.killed[self._postgres.name] += 1
            self._postgres.restart()

    async def _let_live(self) -> None:
        await asyncio.sleep(self._dice.uniform(_LEAST_LIFE_S, _LONGEST_LIFE_S))
        while self.killed.total() > self._progress() * self._kills + 1:  # noqa: ASYNC110 (a count, no event)
            await asyncio.sleep(_WATCH_S)
