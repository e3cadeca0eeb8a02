"""An institution whose processes die while people enrol."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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
from crm.courses.models import Cohort
from crm.identity.models import CreateStaff
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.people.models import CreatePerson
from evals.chaos.killer import Killer
from evals.chaos.processes import KillablePostgres, Process, answers, hears
from evals.chaos.store import COUNTS, FINDINGS, count_all, count_ends, count_open
from evals.chaos.students import PASSWORD, TIGHT, Enrolment, Fate, Office, draw_fate
from evals.chaos.wording import say

ADVISOR = "chaos@andino.example"
AT_ONCE = 12
#: What was never reported is asked for after five minutes, and given up ten after the hold's end.
SETTLE_S = 1_800
HOLD_MINUTES = 2
#: Seats that those compete for who let their holds expire, of a hundred enrolments.
TIGHT_SEATS = 5
MISCHIEF = Behaviour(
    seed=1,
    refuse_percent=10,
    lose_percent=10,
    duplicate_percent=25,
    drop_percent=10,
    delay_max_s=8,
    reorder=True,
    refunds="pending_done",
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What is left.

    Args:
        wrong: must all be 0.
        ends: how it ended for whom.
    """

    wrong: dict[str, int]
    counts: dict[str, int]
    ends: Mapping[Fate, Counter[str]]


class Chaos:
    """An institution whose processes die."""

    def __init__(self, home: Path, *, sagas: int, kills: int, seed: int) -> None:
        self._home, self._sagas, self._kills = home, sagas, kills
        self._dice = random.Random(seed)  # noqa: S311 (an experiment)
        self._postgres = KillablePostgres(home / "postgres")
        self._began = time.monotonic()
        self._enrolments: list[Enrolment] = []
        self._come = self._left_open = 0
        self.killed: Counter[str] = Counter()

    async def run(self) -> Findings:
        """Let people enrol amid the kills; return what is there at the end."""
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
                seat_hold_minutes=HOLD_MINUTES,
            )
            migrate(settings.require_database_url())
            async with open_services(settings) as services:
                self._enrolments = await self._prepare(services, Office(settings.base_url, ADVISOR))
            try:
                await self._play(settings)
                async with open_services(settings) as services:
                    return await self._judge(services)
            finally:
                self._postgres.stop()

    async def _prepare(self, services: Services, office: Office) -> list[Enrolment]:
        await load_demo(services, report=lambda *_: None)
        staff = CreateStaff(email=ADVISOR, name="Eva", role=Role.ADMIN, password=PASSWORD)
        await services.identity.create_staff(staff, actor=SERVICE_ACTOR)
        desk = services.tills.require_sandbox().desk
        await desk.behave(MISCHIEF, payment_id=None, actor=SERVICE_ACTOR)
        page = await services.courses.list_cohorts(open_only=True, limit=50)
        wide, tight, *_ = [c for c in page.items if c.course_code.endswith("101")]
        await _leave_seats(services, wide, self._sagas)
        await _leave_seats(services, tight, max(2, self._sagas * TIGHT_SEATS // 100))
        enrolments = []
        for number in range(self._sagas):
            command = CreatePerson(full_name="Ana Prueba", email=f"ana{number}@example.com")
            person = await services.people.create_person(command, actor=SERVICE_ACTOR)
            fate = draw_fate(self._dice)
            cohort = tight.code if fate in TIGHT else wide.code
            enrolments.append(Enrolment(office, str(person.id), cohort, fate))
        return enrolments

    async def _play(self, settings: Settings) -> None:
        processes = _processes(settings)
        killer = Killer(
            processes, self._postgres, self._dice, kills=self._kills, progress=self._progress
        )
        self.killed = killer.killed
        for process in processes:
            process.start()
        try:
            for process in processes:
                await asyncio.to_thread(process.wait_ready)
            await self._enrolments[0].office.call("GET", "/v1/people")  # logs in before the kills
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(killer.watch())
                report = group.create_task(self._report())
                killing = group.create_task(killer.kill())
                await self._enrol_all()
                await killing
                await self._settle(settings)
                watch.cancel()
                report.cancel()
        finally:
            for process in processes:
                process.kill()

    async def _enrol_all(self) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def live(number: int, enrolment: Enrolment) -> None:
            async with room:
                while self._is_early(number):  # noqa: ASYNC110 (a count, no event)
                    await asyncio.sleep(0.5)
                self._come += 1
                await enrolment.begin()
            await enrolment.go_on()

        await asyncio.gather(*(live(*each) for each in enumerate(self._enrolments)))

    def _progress(self) -> float:
        return self._come / self._sagas

    def _is_early(self, number: int) -> bool:
        """Return whether somebody is to wait, so that people come as long as there are kills."""
        return self.killed.total() * self._sagas < (number - AT_ONCE) * self._kills

    async def _settle(self, settings: Settings) -> None:
        """Wait until everything has ended, or should have."""
        until = time.monotonic() + SETTLE_S
        async with open_services(settings) as services:
            while time.monotonic() < until:
                async with services.database.read() as conn:
                    self._left_open = await count_open(conn)
                if not self._left_open:
                    return
                await asyncio.sleep(1)

    async def _judge(self, services: Services) -> Findings:
        chains = await services.journal.verify_chains()
        by_fate: dict[Fate, list[str]] = {}
        for each in self._enrolments:
            by_fate.setdefault(each.fate, []).append(each.saga_id)
        async with services.database.read() as conn:
            ends = {
                fate: await count_ends(conn, [s for s in sagas if s])
                + Counter({"no seat": sagas.count("")})
                for fate, sagas in by_fate.items()
            }
            wrong = await count_all(conn, FINDINGS)
            counts = await count_all(conn, COUNTS)
        wrong["chains of the audit broken"] = len(chains.broken)
        return Findings(wrong, counts | {"audit records": chains.events}, ends)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(15)
            begun = sum(bool(each.saga_id) for each in self._enrolments)
            passed_s = time.monotonic() - self._began
            waits = f", {self._left_open} things to end" if self._left_open else ""
            say(f"{passed_s:5.0f} s: {begun} enrolments begun, {self.killed.total()} kills{waits}")


async def _leave_seats(services: Services, cohort: Cohort, seats: int) -> None:
    taken = cohort.seats - cohort.seats_left
    change = UpdateCohort(code=cohort.code, seats=taken + seats)
    await services.courses.update_cohort(change, actor=SERVICE_ACTOR)


def _processes(settings: Settings) -> list[Process]:
    environment = environment_of(settings) | {
        "ORIENTA_EMBEDDER": "none",
        "ORIENTA_SEAT_HOLD_MINUTES": str(HOLD_MINUTES),
        "ORIENTA_CRASH_POINTS": os.environ.get("ORIENTA_CRASH_POINTS", "*=0.003"),
    }
    serve = ("-m", "uvicorn", "api.app:create_app", "--factory", "--log-level", "warning")
    work = ("-m", "api.cli", "worker", "--concurrency", "1")
    url, redis_url = settings.base_url, settings.redis_url or ""
    return [
        Process(
            "api",
            (*serve, "--port", str(settings.port)),
            environment,
            is_ready=lambda: answers(url),
        ),
        Process("worker", work, environment, is_ready=lambda: hears(redis_url)),
    ]
