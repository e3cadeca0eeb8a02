"""The two applications that are compared, and what is asked of them."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from uuid import UUID

from api.bootstrap import Services, open_services
from api.embedded.deployment import environment_of
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.courses.models import Programme
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.people.models import CreatePerson, Person
from evals.bench.api import store
from evals.bench.api.bare import POOL_SIZE_VARIABLE, URL_VARIABLE
from evals.bench.api.load import Call
from evals.bench.api.serving import Server, uvicorn_of
from evals.bench.turn.subject import Servers

#: One row would be locked by everybody, and one member of staff has one chain of records.
PEOPLE = 200
STAFF = 32
_CONSENT = {"channel": "email", "purpose": "service", "granted": True, "text_version": "v1"}


@dataclass(frozen=True, slots=True)
class Site:
    """An application that can be served, and what is asked of it."""

    stores_in: str
    serve: Callable[[], AbstractContextManager[Server]]
    calls: Mapping[str, Call]


async def both_sites(servers: Servers) -> tuple[Site, Site]:
    """Return ours and the peer, which has the same people and programmes."""
    settings = servers.settings.model_copy(update={"embedder": "none"})
    async with open_services(settings) as services:
        people = [await _create_person(services, number) for number in range(PEOPLE)]
        tokens = [await _log_in(services) for _ in range(STAFF)]
        programmes = (await services.courses.list_programmes(cursor=None, limit=100)).items
    await asyncio.to_thread(_fill_peer, servers.peer_url, people, programmes)
    credentials = tuple(f"Authorization: Bearer {token}" for token in tokens)
    ids, codes = [person.id for person in people], [programme.code for programme in programmes]
    ours = Site(
        settings.require_database_url(),
        lambda: uvicorn_of("api.app:create_app", _environment(settings)),
        _calls(ids, codes, credentials),
    )
    return ours, Site(
        servers.peer_url,
        lambda: uvicorn_of("evals.bench.api.bare:create_app", _bare_environment(servers)),
        _calls(ids, codes, ()),
    )


async def _create_person(services: Services, number: int) -> Person:
    command = CreatePerson(full_name="Eva Quispe", email=f"eva{number}@{new_id()}.example")
    return await services.people.create_person(command, actor=SERVICE_ACTOR)


async def _log_in(services: Services) -> str:
    password = f"bench {new_id()}"
    account = CreateStaff(
        email=f"{new_id()}@andino.example", name="Ana Rojas", role=Role.ADVISOR, password=password
    )
    await services.identity.create_staff(account, actor=SERVICE_ACTOR)
    return (await services.identity.login(account.email, password)).access_token


def _fill_peer(url: str, people: Sequence[Person], programmes: Sequence[Programme]) -> None:
    store.create_tables(url)
    store.fill_tables(url, list(map(asdict, people)), list(map(asdict, programmes)))


def _environment(settings: Settings) -> dict[str, str]:
    return environment_of(settings) | {"ORIENTA_EMBEDDER": "none"}


def _bare_environment(servers: Servers) -> dict[str, str]:
    size = str(servers.settings.pool_size)
    return {URL_VARIABLE: servers.peer_url, POOL_SIZE_VARIABLE: size}


def _calls(
    people: Sequence[UUID], programmes: Sequence[str], credentials: tuple[str, ...]
) -> dict[str, Call]:
    catalogue = tuple(f"/v1/programmes/{code}" for code in programmes)
    persons = tuple(f"/v1/people/{person_id}" for person_id in people)
    consents = tuple(f"{person}/consents" for person in persons)
    body = json.dumps(_CONSENT).encode()
    return {
        "read of the catalogue": Call("GET", catalogue, 200, credentials),
        "read of a person": Call("GET", persons, 200, credentials),
        "write": Call("POST", consents, 201, credentials, body, once=True),
    }
