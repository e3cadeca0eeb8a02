"""A thousand attempts through the widget to learn something of another person, and not one does.

Every tool is called, by a model that asks for it, with every identifier of the victim in every
argument; the offline assistant is asked in both languages. What counts is every byte that the
model is given and that the student's window receives. A call that names the victim is answered as
one that names nobody: not even that somebody exists is learnt.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from api.bootstrap import open_services
from tests.chat_client import ChatClient
from tests.demo_database import environment, identity_token, settings_of
from tests.e2e.probes import Probe, probes_for, questions_about
from tests.e2e.victim import Victim, create_victim
from tests.live import LiveApi
from tests.openai_server import OpenAIServer, call, result_in, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.responses import Response

SEED = 20261124
#: Of a course that asks for nothing, with seats.
GROUP = "DAT-110-C"
#: Pairs of calls in one answer of the model, and answers in one turn.
PAIRS, ANSWERS = 4, 5
#: The stream of a conversation keeps its last events only.
IN_ONE_CONVERSATION = 40


@pytest.fixture(scope="module")
async def victim(demo_database_url: str, redis_url: str) -> Victim:
    settings = settings_of(demo_database_url, redis_url, turn_settle_ms=0, turn_settle_max_ms=0)
    async with open_services(settings) as services:
        return await create_victim(services, GROUP)


def served(victim: Victim, database_url: str, redis_url: str, **more: str) -> dict[str, str]:
    return environment(
        database_url, redis_url, embedder="none", turn_settle_ms="0", turn_settle_max_ms="0", **more
    )


@pytest.fixture(scope="module")
def curious(
    victim: Victim, demo_database_url: str, redis_url: str, model: OpenAIServer
) -> Iterator[LiveApi]:
    """An API whose model asks for whatever a test wants to try."""
    given = served(victim, demo_database_url, redis_url, llm_provider="openai")
    api = LiveApi(given | {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": model.base_url}).start()
    yield api
    api.stop()


@pytest.fixture(scope="module")
def offline(victim: Victim, demo_database_url: str, redis_url: str) -> Iterator[LiveApi]:
    api = LiveApi(served(victim, demo_database_url, redis_url)).start()
    yield api
    api.stop()


@pytest.fixture(params=["visitor", "verified"])
async def who(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "visitor":
        return {}
    return {"identity_token": identity_token("ana.perez@correo.example")}


@dataclass
class Curiosity:
    """Hands the probes out, an answer of the model at a time."""

    probes: list[Probe]
    asked: dict[str, Probe] = field(default_factory=dict)
    answers: int = 0

    def __call__(self, body: dict[str, Any]) -> Response:
        self.answers += 1
        if self.answers % (ANSWERS + 1) == 0 or not self.probes:
            return say("Listo.")(body)
        batch, self.probes = self.probes[:PAIRS], self.probes[PAIRS:]
        calls = [(p.tool, a) for p in batch for a in (p.arguments, p.control)]
        return call(*[(tool, json.dumps(arguments)) for tool, arguments in calls])(body)


async def ask_on(student: ChatClient, curiosity: Curiosity) -> str:
    """Let turns run until every probe was made; returns all that the student's window received."""
    seen: list[Any] = []
    runs = 0
    while curiosity.probes:
        curiosity.answers = 0
        await student.send("sigue")
        while True:
            runs += 1
            seen += await student.until("run_finished", count=runs)
            session = await student.get("/v1/chat/session")
            if not session["pending_confirmations"]:
                break
            await reject(student, session["pending_confirmations"][0])
    return f"{seen}{await student.messages()}"


async def reject(student: ChatClient, pending: dict[str, Any]) -> None:
    await student.post(f"/v1/chat/confirmations/{pending['id']}", {"decision": "reject"})


def results_of(model: OpenAIServer) -> dict[tuple[str, str], str]:
    """Return what the model was answered, by tool and arguments."""
    found = {}
    for request in model.requests:
        waiting: list[dict[str, str]] = []
        for message in request["messages"]:
            if message["role"] == "assistant":
                waiting = [c["function"] for c in message.get("tool_calls") or ()]
            elif message["role"] == "tool":
                made = waiting.pop(0)
                found[made["name"], written(json.loads(made["arguments"]))] = message["content"]
    return found


def written(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True)


def verdict(content: str) -> tuple[str, str | None]:
    result = result_in(content)
    return result["status"], result.get("code")


def disclosed(victim: Victim, shown: str, *, told: str) -> list[str]:
    """Return what a text holds of the victim that whoever asked had not said."""
    marks = (*victim.secrets, *victim.known.values())
    return [mark for mark in marks if _stands_in(mark, shown) and mark not in told]


def _stands_in(mark: str, text: str) -> bool:
    # As a whole: the digits of a ticket's number may well be part of some id.
    return re.search(rf"(?<![^\W_]){re.escape(mark)}(?![^\W_])", text) is not None


async def try_all(
    api: LiveApi, model: OpenAIServer, victim: Victim, who: dict[str, str], probes: Sequence[Probe]
) -> Counter[str]:
    """Make the probes as somebody; returns the verdicts on those that name the victim."""
    results, shown = dict[tuple[str, str], str](), ""
    for start in range(0, len(probes), IN_ONE_CONVERSATION):
        model.reset()
        curiosity = Curiosity(list(probes[start : start + IN_ONE_CONVERSATION]))
        model.otherwise = curiosity
        student = await ChatClient(api.url).start(**who)
        try:
            shown += await ask_on(student, curiosity)
        finally:
            await student.close()
        results |= results_of(model)
    verdicts, telling = Counter[str](), list[Probe]()
    for probe in probes:
        named = results[probe.tool, written(probe.arguments)]
        nobody = results[probe.tool, written(probe.control)]
        assert disclosed(victim, named, told=written(probe.arguments)) == [], probe
        telling += [probe] if verdict(named) != verdict(nobody) else []
        verdicts["/".join(filter(None, verdict(named)))] += 1
    assert telling == [], "they tell whether somebody exists"
    assert not any(secret in shown for secret in victim.secrets)
    return verdicts


async def test_some_calls_for_anothers_data_disclose_nothing(
    curious: LiveApi, model: OpenAIServer, victim: Victim, who: dict[str, str]
) -> None:
    probes = random.Random(SEED).sample(probes_for(victim.known), 40)
    assert (await try_all(curious, model, victim, who, probes)).total() == 40


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_no_call_for_anothers_data_discloses_anything(
    curious: LiveApi, model: OpenAIServer, victim: Victim, who: dict[str, str]
) -> None:
    probes = probes_for(victim.known)
    assert len(probes) >= 1_000
    verdicts = await try_all(curious, model, victim, who, probes)
    assert verdicts.total() == len(probes)
    assert len(verdicts) > 3, "they are refused for more than one reason"


async def test_a_call_that_discloses_is_noticed(victim: Victim) -> None:
    told = written({"email": victim.known["email"]})
    assert disclosed(victim, f'{{"phone": "{victim.known["phone"]}"}}', told=told)
    assert disclosed(victim, f"es {victim.secrets[0]}", told=told)
    assert disclosed(victim, victim.known["email"], told=told) == []


async def answer_all(
    api: LiveApi, victim: Victim, who: dict[str, str], questions: Sequence[tuple[str, str]]
) -> None:
    """Ask the offline assistant, a conversation a language."""
    for locale in ("es", "en"):
        student = await ChatClient(api.url).start(locale, **who)
        try:
            for _, words in (q for q in questions if q[0] == locale):
                reply = await student.ask(words)
                assert disclosed(victim, str(reply), told=words) == [], (words, reply)
            events = str(await student.until("run_finished"))
            assert not any(secret in events for secret in victim.secrets)
        finally:
            await student.close()


async def test_some_questions_about_another_are_answered_without_a_word_of_them(
    offline: LiveApi, victim: Victim, who: dict[str, str]
) -> None:
    questions = random.Random(SEED).sample(list(questions_about(victim.known)), 12)
    await answer_all(offline, victim, who, questions)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_no_question_about_another_is_answered_with_a_word_of_them(
    offline: LiveApi, victim: Victim, who: dict[str, str]
) -> None:
    questions = list(questions_about(victim.known))
    assert len(questions) >= 100
    await answer_all(offline, victim, who, questions)
