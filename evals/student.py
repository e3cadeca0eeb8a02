"""The student of a scenario: plays it as a real session and keeps what can be seen of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from api.bootstrap import Services
from crm.actor import SERVICE_ACTOR
from crm.messaging.confirmations.models import ConfirmationStatus
from crm.messaging.conversations.models import ChatSession, Message
from evals.evidence import Evidence
from evals.scenario import Scenario, Step
from evals.truths import read_truths
from evals.views import RunSeen, calls_of, confirmation_ids_of, replies_of, run_seen
from evals.world import World

_PAGE = 200


class Stuck(Exception):
    """The student cannot go on, because of what the assistant did or did not do."""


@dataclass(slots=True)
class Played:
    """What came of a scenario.

    Args:
        turns: what happened in each turn that was played.
        stuck: why the student could not go on.
    """

    turns: list[Evidence] = field(default_factory=list)
    whole: Evidence = field(default_factory=Evidence)
    lines: list[dict[str, object]] = field(default_factory=list)
    runs: list[RunSeen] = field(default_factory=list)
    stuck: str | None = None


async def play(world: World, scenario: Scenario) -> Played:
    """Play a scenario from the first turn to the last."""
    services = world.services
    started = await services.conversations.start_session(locale=scenario.language)
    student = _Student(world, scenario, started.session)
    truths = await read_truths(services.courses, scenario)
    private = {email: known.private for email, known in world.people.items()}
    played, before = Played(), Evidence()
    try:
        for number, step in enumerate(scenario.turns):
            await student.take(number, step)
            after = replace(await student.look(), truths=truths, private=private)
            played.turns.append(_since(before, after))
            before = after
    except Stuck as reason:
        played.stuck = str(reason)
    played.whole = before
    played.lines, played.runs = await student.transcript()
    return played


def _since(before: Evidence, after: Evidence) -> Evidence:
    """Return what is new; states stay as they are in the end."""
    return replace(
        after,
        replies=after.replies[len(before.replies) :],
        calls=after.calls[len(before.calls) :],
        runs=after.runs[len(before.runs) :],
    )


class _Student:
    def __init__(self, world: World, scenario: Scenario, session: ChatSession) -> None:
        self._world = world
        self._services: Services = world.services
        self._scenario = scenario
        self._session = session

    async def take(self, number: int, step: Step) -> None:
        """Do what the step says and wait for the answer."""
        if step.wait_minutes is not None:
            self._world.clock.advance(timedelta(minutes=step.wait_minutes))
            await self._services.confirmations.expire_due()
        if step.verify_as is not None:
            await self._verify(step.verify_as)
        if step.decide is not None:
            await self._decide(step)
        for place, text in enumerate(step.messages):
            await self._services.conversations.accept_message(
                self._session, client_message_id=f"{number}-{place}", text=text
            )
        await self._services.engine.serve(self._session.conversation_id)

    async def _verify(self, email: str) -> None:
        known = self._world.people[email]
        started = await self._services.conversations.verify_session(self._session, known.person_id)
        self._session = started.session

    async def _decide(self, step: Step) -> None:
        opened = await self._services.confirmations.list_open(self._session.conversation_id)
        pending = [c for c in opened if c.status is ConfirmationStatus.PENDING]
        if not pending or step.decide is None:
            raise Stuck("nothing waits for the student's decision")
        await self._services.confirmations.decide(
            pending[0].id,
            conversation_id=self._session.conversation_id,
            decision=step.decide,
            actor=self._session.actor,
        )

    async def look(self) -> Evidence:
        """Return all that can be seen of the conversation up to here."""
        services, conversation_id = self._services, self._session.conversation_id
        messages = await self._messages()
        asked = confirmation_ids_of(messages)
        held = [await services.confirmations.get(i) for i in asked]
        records = await services.journal.list_audit_events(
            {"conversation_id": conversation_id}, cursor=None, limit=_PAGE
        )
        return Evidence(
            replies=replies_of(messages),
            calls=calls_of(records.items),
            runs=tuple(run.status for run in await self._runs()),
            tickets=await self._tickets(),
            confirmations=tuple(str(c.status) for c in held),
            conversation=str(
                (await services.conversations.get_conversation(conversation_id)).status
            ),
        )

    async def _tickets(self) -> tuple[str, ...]:
        newest = await self._services.support.list_tickets(limit=_PAGE, actor=SERVICE_ACTOR)
        ours = [t for t in newest.items if t.conversation_id == self._session.conversation_id]
        return tuple(ticket.category for ticket in reversed(ours))

    async def _messages(self) -> Sequence[Message]:
        page = await self._services.conversations.list_messages(
            self._session.conversation_id, since=None, limit=_PAGE
        )
        return page.items

    async def _runs(self) -> list[RunSeen]:
        page = await self._services.turns.list_runs(
            conversation_id=self._session.conversation_id, limit=_PAGE
        )
        return [run_seen(run) for run in reversed(page.items)]

    async def transcript(self) -> tuple[list[dict[str, object]], list[RunSeen]]:
        """Return the log as people read it, and what each run took."""
        lines: list[dict[str, object]] = [
            {
                "role": message.role,
                "text": message.body,
                "cites": [citation["url"] for citation in message.citations],
                "hints": [str(action.get("type")) for action in message.actions],
            }
            for message in await self._messages()
        ]
        return lines, await self._runs()
