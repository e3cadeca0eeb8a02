"""Every job is done by the workers and, where there are none, by whichever API process is up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from api.attendant import Attendant
from api.bootstrap import open_services
from api.worker.app import create_worker
from api.worker.bridge import Work
from api.worker.jobs import Job, Turns, note_worker
from api.worker.tasks import JOBS, register, schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.bootstrap import Services
    from api.settings import Settings

NAMES = {job.name for job in JOBS}
EVERYWHERE = {job.name for job in JOBS if job.everywhere}


class Diary:
    """Jobs that only note that they were done, and who waits for them."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._changed = asyncio.Event()
        self.jobs = [replace(job, work=self._work(job), every_s=0.02) for job in JOBS]

    def _work(self, job: Job) -> Work[object]:
        async def work(_: Services) -> None:
            self.done.append(job.name)
            self._changed.set()

        return work

    async def until(self, names: set[str], times: int = 1) -> None:
        """Wait until each of these was done so often."""
        async with asyncio.timeout(30):
            while any(self.done.count(name) < times for name in names):
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with open_services(settings) as services:
        await services.redis.flushdb()
        yield services


def test_names_are_unique_and_beat_sends_what_workers_know() -> None:
    worker = create_worker("redis://127.0.0.1:1/0")
    register(worker)
    schedule(worker)
    assert len(JOBS) == len(NAMES)
    sent = {entry["task"] for entry in worker.conf.beat_schedule.values()}
    assert sent == {f"orienta.{name}" for name in NAMES}
    assert sent == {name for name in worker.tasks if name.startswith("orienta.")}


async def test_api_process_does_every_job_while_no_worker_does(services: Services) -> None:
    diary = Diary()
    async with Attendant(services, diary.jobs).running():
        await diary.until(NAMES, times=3)


async def test_api_process_leaves_to_workers_what_they_do(services: Services) -> None:
    diary = Diary()
    for job in diary.jobs:
        await note_worker(services, job)
    async with Attendant(services, diary.jobs).running():
        await diary.until(EVERYWHERE, times=5)
    assert set(diary.done) == EVERYWHERE


async def test_one_of_two_api_processes_stands_in_until_a_worker_is_back(
    services: Services,
) -> None:
    job = next(job for job in JOBS if not job.everywhere)
    one, other = Turns(services), Turns(services)
    assert [await one.is_ours(job), await other.is_ours(job), await one.is_ours(job)] == [
        *(True, False, True),
    ]
    await note_worker(services, job)
    assert not await one.is_ours(job)


async def test_without_redis_everybody_does_it(services: Services, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    job = next(job for job in JOBS if not job.everywhere)
    async with open_services(nowhere) as alone:
        assert await Turns(alone).is_ours(job)
