"""Asks a running Orienta over HTTP: is it ready, and does it answer a question?"""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx

from crm.errors import Unavailable

READY_S = 120.0
ANSWER_S = 90.0
PAUSE_S = 0.3


def wait_until_ready(url: str, process: Callable[[], subprocess.Popen[bytes] | None]) -> None:
    """Wait until `/readyz` says yes.

    Raises: Unavailable("api.start"): the process ended, or it is not ready in time.
    """
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        child = process()
        if child is not None and child.poll() is not None:
            raise Unavailable("api.start", f"The API ended with exit code {child.returncode}.")
        if _is_ready(url):
            return
        time.sleep(PAUSE_S)
    raise Unavailable("api.start", f"The API is not ready after {READY_S:.0f} s.")


def wait_for_worker(redis_url: str) -> None:
    """Wait until a worker answers.

    Raises: Unavailable("worker.start"): none does in time.
    """
    from api.worker.app import create_worker

    celery = create_worker(redis_url)
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if celery.control.ping(timeout=1.0):
            return
    raise Unavailable("worker.start", f"No worker answers within {READY_S:.0f} s.")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).is_success
    except httpx.HTTPError:
        return False


def fetch(url: str) -> str:
    """The page at an address.

    Raises: Unavailable("api.page"): no answer, or an error.
    """
    try:
        return httpx.get(url, timeout=15, follow_redirects=True).raise_for_status().text
    except httpx.HTTPStatusError as error:
        said = f"{url} answers {error.response.status_code}."
        raise Unavailable("api.page", said) from error
    except httpx.HTTPError as error:
        raise Unavailable("api.page", f"{url} does not answer: {error}") from error


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, and from how many sources."""

    text: str
    citations: int


def ask(url: str, question: str, *, locale: str) -> Reply:
    """Ask as a visitor's widget would.

    Raises: Unavailable("api.answer"): no reply in time, or an error instead.
    """
    try:
        with httpx.Client(base_url=url, timeout=15) as client:
            opened = client.post("/v1/chat/sessions", json={"locale": locale}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {opened.json()['session_token']}"
            message = {"client_message_id": str(uuid4()), "text": question}
            client.post("/v1/chat/messages", json=message).raise_for_status()
            return _await_reply(client)
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise Unavailable("api.answer", f"The question was not answered: {error}") from error


def _await_reply(client: httpx.Client) -> Reply:
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        page = client.get("/v1/chat/messages").raise_for_status().json()
        for message in page["items"]:
            if message["role"] == "agent":
                return Reply(str(message["text"]), len(message["citations"]))
        time.sleep(PAUSE_S)
    raise Unavailable("api.answer", f"No reply within {ANSWER_S:.0f} s.")
