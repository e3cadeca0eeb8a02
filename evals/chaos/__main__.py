"""`python -m evals.chaos`: kills everything while people enrol, and judges what is left."""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from api.bootstrap import Services, open_services
from api.demo.loader import load_demo
from api.embedded.deployment import environment_of
from api.embedded.server import free_port
from api.embedded.valkey import EmbeddedValkey
from api.migrations.runner import migrate
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.courses.commands import UpdateCohort
from crm.db import open_pool
from crm.identity.models import CreateStaff
from crm.people.models import CreatePerson
from evals.chaos.processes import KillablePostgres, Process, wait_ready
from evals.chaos.store import COUNTS, FINDINGS, count_all, count_open
from evals.chaos.students import PASSWORD, Office, enrol

ADVISOR = "chaos@andino.example"
AT_ONCE = 8
SETTLE_S = 600


class Chaos:
    """An institution whose processes die."""

    def __init__(self, home: Path, *, sagas: int, kills: int, seed: int) -> None:
        self._home, self._sagas, self._kills = home, sagas, kills
        self._dice = random.Random(seed)  # noqa: S311 (an experiment)
        self._postgres = KillablePostgres(home / "postgres")
        self.killed: Counter[str] = Counter()

    async def run(self) -> dict[str, int]:
        """Let people enrol amid the kills; return what is wrong at the end."""
        with EmbeddedValkey(self._home / "valkey", durable=False) as valkey:
            settings = Settings(
                _env_file=None,
                home=self._home,
                demo=True,
                embedder="none",
                port=free_port(),
                database_url=self._postgres.start(),
                redis_url=valkey.start(),
                master_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            )
            migrate(settings.require_database_url())
            async with open_services(settings) as services:
                people, cohort = await self._prepare(services)
            try:
                return await self._play(settings, people, cohort)
            finally:
                self._postgres.stop()

    async def _prepare(self, services: Services) -> tuple[list[str], str]:
        await load_demo(services, report=lambda *_: None)
        staff = CreateStaff(email=ADVISOR, name="Eva", role=Role.ADMIN, password=PASSWORD)
        await services.identity.create_staff(staff, actor=SERVICE_ACTOR)
        page = await services.courses.list_cohorts(open_only=True, limit=50)
        cohort = next(c for c in page.items if c.course_code.endswith("101"))
        wider = UpdateCohort(code=cohort.code, seats=cohort.seats + self._sagas)
        await services.courses.update_cohort(wider, actor=SERVICE_ACTOR)
        people = []
        for number in range(self._sagas):
            command = CreatePerson(full_name="Ana Prueba", email=f"ana{number}@example.com")
            made = await services.people.create_person(command, actor=SERVICE_ACTOR)
            people.append(str(made.id))
        return people, cohort.code

    async def _play(self, settings: Settings, people: list[str], cohort: str) -> dict[str, int]:
        environment = environment_of(settings) | {
            "ORIENTA_EMBEDDER": "none",
            "ORIENTA_CRASH_POINTS": os.environ.get("ORIENTA_CRASH_POINTS", "*=0.003"),
        }
        serve = ("-m", "uvicorn", "api.app:create_app", "--factory", "--log-level", "warning")
        api = Process("api", (*serve, "--port", str(settings.port)), environment)
        worker = Process("worker", ("-m", "api.cli", "worker", "--concurrency", "1"), environment)
        processes = [api, worker]
        for process in processes:
            process.start()
        wait_ready(settings.base_url)
        office = Office(settings.base_url, ADVISOR)
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(processes))
                killing = group.create_task(self._kill(processes))
                await self._enrol_all(office, people, cohort)
                await killing
                findings = await self._judge(settings)
                watch.cancel()
        finally:
            for process in processes:
                process.kill()
        return findings

    def _left(self) -> int:
        return self._kills - self.killed.total()

    async def _enrol_all(self, office: Office, people: list[str], cohort: str) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(person: str) -> None:
            async with room:
                await enrol(office, person, cohort, self._dice)

        await asyncio.gather(*(one(person) for person in people))

    async def _watch(self, processes: list[Process]) -> None:
        """Start again what died by itself at a crash point."""
        while True:
            await asyncio.sleep(1)
            self._revive(processes)

    async def _kill(self, processes: list[Process]) -> None:
        """Kill one after the other, and start it again at once."""
        while self._left() > 0:
            await asyncio.sleep(self._dice.uniform(1.0, 4.0))
            victims: list[Process | KillablePostgres] = [*processes, self._postgres]
            victim = self._dice.choice(victims)
            victim.kill()
            self.killed[victim.name] += 1
            self._postgres.restart()
            self._revive(processes, count=False)

    def _revive(self, processes: list[Process], *, count: bool = True) -> None:
        for process in processes:
            if process.is_dead:
                if count:
                    self.killed[f"{process.name} at a crash point"] += 1
                process.start()

    async def _judge(self, settings: Settings) -> dict[str, int]:
        pool = await open_pool(settings.require_database_url(), min_size=1, max_size=1)
        until = time.monotonic() + SETTLE_S
        try:
            async with pool.connection() as conn:
                while await count_open(conn) and time.monotonic() < until:  # noqa: ASYNC110 (rows, no event)
                    await asyncio.sleep(1)
                for name, number in (await count_all(conn, COUNTS)).items():
                    _say(f"{number:>6} {name}")
                return await count_all(conn, FINDINGS)
        finally:
            await pool.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the experiment; the exit code says whether all ended whole."""
    options = argparse.ArgumentParser(prog="make chaos")
    options.add_argument("--sagas", type=int, default=1_000)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="orienta-chaos-"))
    home.chmod(0o711)  # an embedded server that root starts runs as somebody else
    began = time.monotonic()
    try:
        chaos = Chaos(home, sagas=asked.sagas, kills=asked.kills, seed=asked.seed)
        findings = asyncio.run(chaos.run())
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for name, number in chaos.killed.items():
        _say(f"{number:>6} kills of {name}")
    wrong = {name: number for name, number in findings.items() if number}
    for name, number in findings.items():
        _say(f"{number:>6} {name}" + ("   <-- wrong" if number else ""))
    _say(f"{asked.sagas} sagas, {chaos.killed.total()} kills, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
