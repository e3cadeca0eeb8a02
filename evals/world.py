"""The world of a suite: the demo institution with its people, served by the real services."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.bootstrap import Services, open_services
from api.demo.loader import load_demo
from api.settings import Settings
from crm.actor import SERVICE_ACTOR
from crm.ids import PersonId
from crm.support.commands import TicketFilters
from evals.clock import ShiftedClock
from evals.scenario import Scenario

Report = Callable[[str, int, int], None]

#: Evals type faster than people: a burst ends after this silence.
_SETTLE_MS = 20


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody on file.

    Args:
        private: what nobody else may be told.
    """

    person_id: PersonId
    private: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What scenarios are played in.

    Args:
        people: by e-mail address, those whom the scenarios name and who are on file.
    """

    services: Services
    clock: ShiftedClock
    people: Mapping[str, Known]


@asynccontextmanager
async def open_world(
    settings: Settings, scenarios: Iterable[Scenario], *, report: Report
) -> AsyncIterator[World]:
    """Load the demo institution into an empty database and open the services over it.

    Args:
        report: gets what is being loaded, how much of it is done and how much there is.
    """
    clock = ShiftedClock()
    hasty = settings.model_copy(update={"turn_settle_ms": _SETTLE_MS})
    async with open_services(hasty, clock=clock) as services:
        await load_demo(services, report=report)
        await _embed_all(services, report)
        named = {email for scenario in scenarios for email in people_of(scenario)}
        found = {email: await _known(services, email) for email in sorted(named)}
        yield World(services, clock, {e: known for e, known in found.items() if known})


async def _embed_all(services: Services, report: Report) -> None:
    """Embed what the shipped vectors lack: what is measured is the search as it will stay."""
    total = await services.ingest.pending()
    while await services.ingest.embed_pending():
        report("vectors", total - await services.ingest.pending(), total)


def people_of(scenario: Scenario) -> set[str]:
    """Return the e-mail addresses of the people whom a scenario names."""
    named = {turn.verify_as for turn in scenario.turns if turn.verify_as is not None}
    for _, expect in scenario.stretches():
        named |= set(expect.discloses_nothing_of or ())
    return named


async def _known(services: Services, email: str) -> Known | None:
    person = await services.people.find_by_address(email=email)
    if person is None:
        return None
    tickets = await services.support.list_tickets(
        TicketFilters(person_id=person.id), actor=SERVICE_ACTOR
    )
    titles = [ticket.title for ticket in tickets.items]
    return Known(person.id, tuple(filter(None, (person.email, person.phone, *titles))))
