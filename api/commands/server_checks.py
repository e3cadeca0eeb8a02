"""Checks of the servers: PostgreSQL and its schema, Redis."""

from collections.abc import Callable

import redis

from api.commands.findings import Finding, broken, idle, ok, warning
from api.commands.store import read_facts, where
from api.embedded.account import Programs
from api.embedded.deployment import postgres_of, valkey_of
from api.embedded.postgres import packaged_programs as postgres_programs
from api.embedded.server import EmbeddedServer
from api.embedded.valkey import packaged_programs as valkey_programs
from api.migrations.runner import current_revision, head_revision
from api.settings import Settings
from crm.errors import OrientaError

OLDEST_POSTGRES = 15
OLDEST_VECTOR = (0, 7)  # halfvec
MB = 1024 * 1024
START = "make demo (or: orienta serve)"


def check_database(settings: Settings) -> list[Finding]:
    """PostgreSQL, pgvector and the schema."""
    url = settings.database_url or postgres_of(settings.home).attach()
    if url is None:
        return [_check_embedded("PostgreSQL", postgres_of(settings.home), postgres_programs)]
    try:
        facts = read_facts(url)
    except OrientaError as error:
        remedy = "start the server, or correct ORIENTA_DATABASE_URL"
        return [broken("PostgreSQL", error.safe_message, remedy)]
    kind = "at" if settings.database_url else "embedded,"
    return [
        _check_version(facts.version, f"{kind} {where(url)}, {facts.size_bytes // MB} MB"),
        _check_vector(facts.vector),
        _check_schema(url),
    ]


def _check_version(version: str, place: str) -> Finding:
    if int(version.split(".")[0]) < OLDEST_POSTGRES:
        remedy = f"use PostgreSQL {OLDEST_POSTGRES} or newer"
        return broken("PostgreSQL", f"{version} {place}", remedy)
    return ok("PostgreSQL", f"{version} {place}")


def _check_vector(version: str | None) -> Finding:
    if version is None:
        return broken("pgvector", "not installed on this server", "install pgvector 0.7 or newer")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VECTOR:
        return broken("pgvector", f"{version} has no halfvec", "install pgvector 0.7 or newer")
    return ok("pgvector", version)


def _check_schema(url: str) -> Finding:
    current, head = current_revision(url), head_revision()
    if current is None:
        return broken("Schema", "the database is empty", "orienta migrate")
    if current != head:
        return broken("Schema", f"at {current}, the newest is {head}", "orienta migrate")
    return ok("Schema", f"at {head}, the newest")


def check_redis(settings: Settings) -> Finding:
    """Redis or Valkey."""
    url = settings.redis_url or valkey_of(settings.home).attach()
    if url is None:
        return _check_embedded("Redis", valkey_of(settings.home), valkey_programs)
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            server = client.info("server")
            policy = client.info("memory")["maxmemory_policy"]
    except redis.RedisError as error:
        remedy = "start the server, or correct ORIENTA_REDIS_URL"
        return broken("Redis", f"does not answer: {error}", remedy)
    return _check_policy(server, str(policy), "" if settings.redis_url else "embedded, ")


def _check_policy(server: dict[str, object], policy: str, kind: str) -> Finding:
    name = str(server.get("server_name", "redis")).capitalize()
    version = server.get(f"{name.lower()}_version", server["redis_version"])
    found = f"{name} {version}, {kind}port {server['tcp_port']}"
    if policy != "noeviction":
        remedy = "set maxmemory-policy noeviction: tasks and streams must not vanish"
        return warning("Redis", f"{found}, evicts by {policy}", remedy)
    return ok("Redis", found)


def _check_embedded(
    part: str, server: EmbeddedServer, find_programs: Callable[[], Programs]
) -> Finding:
    try:
        version = server.find_programs(find_programs).version
    except OrientaError as error:
        return broken(part, error.safe_message, f"set {server.url_setting}")
    return idle(part, f"embedded ({version}), does not run now", START)
