"""No container engine runs the deployment in the tests: compare what it says with the code."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices
from typer.main import get_command

from agents.settings import AgentSettings
from api.app import create_app
from api.cli import build
from api.settings import Settings
from retrieval.settings import RetrievalSettings

ROOT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if service["image"] == "orienta"}
COMMANDS = get_command(build(["--help"]))
PORT = Settings.model_fields["port"].default


def variables() -> set[str]:
    """Every variable that the code reads."""
    names: set[str] = set()
    for settings in (Settings, AgentSettings, RetrievalSettings):
        for name, field in settings.model_fields.items():
            names.add(f"ORIENTA_{name.upper()}")
            if isinstance(field.validation_alias, AliasChoices):
                names |= {str(choice) for choice in field.validation_alias.choices}
    return names


def routes() -> set[str]:
    return set(create_app(Settings(_env_file=None)).openapi()["paths"])


def test_every_process_is_there() -> None:
    assert {"migrate", "api", "worker", "beat"} == OURS
    assert SERVICES.keys() - OURS == {"postgres", "redis", "elasticsearch"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_variables_are_read_by_the_code(name: str) -> None:
    assert SERVICES[name]["environment"].keys() <= variables()


def test_variables_of_the_image_and_the_example_are_read_by_the_code() -> None:
    told = set(re.findall(r"\b(ORIENTA_[A-Z_]+|OPENAI_[A-Z_]+)\b", DOCKERFILE + EXAMPLE))
    assert told <= variables()


def test_what_compose_asks_of_the_environment_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    assert asked <= set(re.findall(r"^# ([A-Z_]+)=", EXAMPLE, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_and_options_exist(name: str) -> None:
    verb, *options = SERVICES[name]["command"]
    command = COMMANDS.commands[verb]  # type: ignore[attr-defined]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    assert {o for o in options if o.startswith("--")} <= known


def test_image_starts_a_command_that_exists() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)
    (start,) = re.findall(r"^CMD (\[.*)$", DOCKERFILE, re.MULTILINE)
    assert json.loads(entry)[0] in scripts
    assert json.loads(start)[0] in COMMANDS.commands  # type: ignore[attr-defined]


def test_ports_agree() -> None:
    (published,) = SERVICES["api"]["ports"]
    assert published == f"${{ORIENTA_PORT:-{PORT}}}:{PORT}"
    assert f"EXPOSE {PORT}\n" in DOCKERFILE
    assert f"ORIENTA_PORT={PORT}" in DOCKERFILE


def test_health_is_asked_where_it_is_answered() -> None:
    asked = re.findall(
        rf"http://127\.0\.0\.1:{PORT}(/[a-z]+)",
        DOCKERFILE + json.dumps(SERVICES["api"]["healthcheck"]),
    )
    assert len(asked) == 2
    assert set(asked) <= routes()
    assert SERVICES["worker"]["healthcheck"]["test"] == ["CMD", "orienta", "ping"]
    assert "ping" in COMMANDS.commands  # type: ignore[attr-defined]


def test_every_lasting_service_has_a_health_check() -> None:
    assert all("test" in s["healthcheck"] for n, s in SERVICES.items() if n != "migrate")


def test_services_wait_for_what_is_there() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            finishes = how["condition"] == "service_completed_successfully"
            assert finishes == (needed == "migrate")
            assert needed in SERVICES


def test_addresses_name_the_services() -> None:
    environment = SERVICES["api"]["environment"]
    assert "@postgres:5432/orienta" in environment["ORIENTA_DATABASE_URL"]
    assert environment["ORIENTA_REDIS_URL"] == "redis://redis:6379/0"
    assert SERVICES["postgres"]["environment"]["POSTGRES_DB"] == "orienta"


def test_volumes_are_declared_and_used() -> None:
    used = {volume.partition(":")[0] for s in SERVICES.values() for volume in s.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])


def test_images_are_pinned() -> None:
    others = [s["image"] for n, s in SERVICES.items() if n not in OURS]
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.search(r":\d+\.\d+", image) for image in (*others, *bases))


def test_image_holds_the_packages_and_runs_as_nobody_special() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = built["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(re.findall(r"^COPY (\w+) \w+$", DOCKERFILE, re.MULTILINE)) == set(packages)
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["orienta"]


def test_secrets_and_data_stay_out_of_the_image() -> None:
    ignored = set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert {".git", ".env", ".orienta", ".venv"} <= ignored
