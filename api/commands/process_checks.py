"""Checks of this machine and of our own processes: disk, language model, API, worker."""

import os
import platform
import shutil
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import httpx
from kombu.exceptions import OperationalError

from agents.settings import AgentSettings
from api.commands.findings import Finding, broken, idle, ok, warning
from api.commands.running_demo import running_demo
from api.embedded.deployment import valkey_of
from api.settings import Settings

GB = 1024**3
START = "make demo (or: orienta serve, orienta worker)"


def check_orienta() -> Finding:
    """The program itself."""
    return ok("Orienta", f"{metadata.version('orienta')} on Python {platform.python_version()}")


def check_home(settings: Settings) -> Finding:
    """The folder that holds the data, and the room that is left there."""
    home = settings.home.absolute()
    existing = next(path for path in (home, *home.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return broken("Home", f"{home} is not writable", "choose another with ORIENTA_HOME")
    free = shutil.disk_usage(existing).free
    detail = f"{home}, {free / GB:.1f} GB free"
    if free < GB / 4:
        return broken("Home", detail, "free some disk space: PostgreSQL stops without any")
    if free < 2 * GB:
        return warning("Home", detail, "free some disk space")
    return ok("Home", detail)


def check_api(settings: Settings) -> Finding:
    """The HTTP server."""
    demo = running_demo(settings.home)
    url = demo.url if demo and demo.url else settings.base_url
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5)
    except httpx.HTTPError:
        return idle("API", f"nothing answers at {url}", "make demo (or: orienta serve)")
    if answer.is_success:
        return ok("API", f"ready at {url}")
    return broken("API", f"{url}/readyz answers {answer.status_code}", log_of(settings, "api"))


def log_of(settings: Settings, name: str) -> str:
    """Where to read why."""
    path: Path = settings.home / "logs" / f"{name}.log"
    return f"read {path}" if path.exists() else "read its output"


def check_worker(settings: Settings) -> Finding:
    """The Celery workers that hear us."""
    from api.worker.app import create_worker

    url = settings.redis_url or valkey_of(settings.home).attach()
    if url is None:
        return idle("Worker", "cannot be asked: Redis does not run", START)
    celery = create_worker(url)
    try:
        with celery.connection_for_write(connect_timeout=3) as connection:
            answers = celery.control.ping(timeout=1.0, connection=connection)
    except OperationalError as error:
        return broken("Worker", f"cannot be asked: {error}", "see Redis above")
    names = sorted(name for answer in answers for name in answer)
    if not names:
        return idle("Worker", "none answers", "make demo (or: orienta worker)")
    return ok("Worker", f"{len(names)} running ({', '.join(names)})")


def check_language_model() -> Finding:
    """Who puts answers into words."""
    settings = AgentSettings()
    if settings.llm_provider == "offline":
        return ok("Language model", "offline: rules and quoted passages; no key needed")
    if settings.llm_provider == "transformers":
        return _check_local_model(Path(settings.transformers_model or ""))
    where = settings.openai_base_url or "api.openai.com"
    detail = f"{settings.llm_provider}, {settings.openai_model} at {where}"
    if settings.openai_api_key is None:
        return broken("Language model", f"{detail}, no key", "set OPENAI_API_KEY")
    return ok("Language model", f"{detail}, key set")


def _check_local_model(folder: Path) -> Finding:
    if find_spec("transformers") is None or find_spec("torch") is None:
        return broken(
            "Language model", "transformers is not installed", "pip install 'orienta[models]'"
        )
    if not (folder / "config.json").is_file():
        return broken(
            "Language model", f"{folder} holds no model", "set ORIENTA_TRANSFORMERS_MODEL"
        )
    return ok("Language model", f"transformers, {folder}")
