"""Serves conversations: one run at a time, under a lease, stored once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from agents.runtime.checkpoints import InterruptSaver
from agents.runtime.ending import outcome_of
from agents.runtime.heartbeat import heartbeat
from agents.runtime.opening import opening_state
from agents.runtime.ports import (
    Assignment,
    Clock,
    Desk,
    EventStream,
    Held,
    LeaseLost,
    Outcome,
    Situation,
    Speaker,
    StoredReply,
)
from agents.runtime.state import AgentState
from agents.runtime.turn import Guesser, Provider, Turn
from agents.strings import say

_log = logging.getLogger(__name__)

Graph = CompiledStateGraph[AgentState, Turn, Any, Any]

#: How often one run starts over because the student went on writing.
MAX_RESTARTS = 3
#: After so many crashed or failed tries a run is answered with an apology.
MAX_ATTEMPTS = 4 + MAX_RESTARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How a turn behaves.

    Args:
        time_zone: IANA name of the institution's.
    """

    institution: str
    time_zone: str
    max_steps: int = 6
    max_tokens: int | None = None
    max_cost_micros: int | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """Who speaks: the model chosen by settings, and the one that stands in for it.

    Args:
        agent: the first one, until the supervisor has chosen.
        prompt_version: of an agent's instructions under a policy.
    """

    agent: str
    prompt_version: Callable[[str, str], str]
    provider: Provider
    fallback: Provider
    by_agent: Mapping[str, Provider] = field(default_factory=dict)


class TurnEngine:
    """Runs the agents over whatever a conversation waits for.

    Args:
        graph: compiled with `saver`.
        policy: returns what the institution holds its agents to now.
        guesser: of intents, where one can be had.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        graph: Graph,
        saver: InterruptSaver,
        stream: EventStream,
        speaking: Speaking,
        clock: Clock,
        settings: EngineSettings,
        policy: Callable[[], Awaitable[str]],
        guesser: Guesser | None = None,
    ) -> None:
        self._desk = desk
        self._graph = graph
        self._saver = saver
        self._stream = stream
        self._speaking = speaking
        self._clock = clock
        self._settings = settings
        self._policy = policy
        self._guesser = guesser

    async def serve(self, conversation_id: UUID) -> int:
        """Answer all that waits in a conversation; return the number of runs that ended.

        Returns 0 at once when another process holds it. Whatever a lost lease interrupts is taken
        up by its next holder.
        """
        held = await self._desk.acquire(conversation_id)
        if held is None:
            return 0
        runs = 0
        try:
            async with heartbeat(held):
                while (work := await held.next()) is not None:
                    if isinstance(work, float):
                        await asyncio.sleep(work)
                    else:
                        runs += await self._run(held, work)
        except LeaseLost:
            _log.info("lease lost: conversation %s", conversation_id)
        finally:
            await held.release()
        return runs

    async def sweep(self) -> int:
        """Serve whatever waits without a holder; return the number of runs that ended."""
        served = await asyncio.gather(*(self.serve(c) for c in await self.due()))
        await self.prune()
        return sum(served)

    async def due(self) -> Sequence[UUID]:
        """Return conversations that wait and that nobody holds."""
        return await self._desk.due()

    async def prune(self) -> None:
        """Forget the checkpoints of runs that ended without being resumed, e.g. by expiry."""
        for run_id in await self._desk.ended():
            await self._saver.forget(str(run_id))

    async def _run(self, held: Held, work: Assignment) -> bool:
        """Carry out one run; False when it starts over because the student went on writing."""
        try:
            return await self._carry_out(held, work)
        finally:
            # What has to outlive this attempt is in the database by now.
            self._saver.delete_thread(str(work.situation.run_id))

    async def _carry_out(self, held: Held, work: Assignment) -> bool:
        situation = work.situation
        started = time.monotonic()
        turn = self._turn(held, work, policy=await self._policy())
        if situation.attempt > 1:
            # Whatever an earlier attempt had shown is withdrawn.
            await turn.emit("draft_reset", {})
        await turn.emit("run_started", {"run_id": str(situation.run_id)})
        state = await self._think(turn, situation)
        if await self._goes_on(turn, work, state):
            await turn.emit("draft_reset", {})
            return False
        outcome = outcome_of(
            turn,
            situation,
            state,
            speaker=self._speaker(turn),
            latency_ms=round((time.monotonic() - started) * 1000),
        )
        if outcome.status == "waiting":
            await self._saver.keep(str(situation.run_id))
        stored = await work.commit(outcome)
        await self._announce(turn, situation, outcome, stored, state)
        if situation.decided is not None and outcome.status != "waiting":
            await self._saver.forget(str(situation.run_id))
        return True

    async def _goes_on(self, turn: Turn, work: Assignment, state: dict[str, Any]) -> bool:
        """Return whether to start over: new words came in, and nothing was done or asked yet."""
        situation = work.situation
        untouched = not (
            turn.usage.effects or situation.decided or situation.steps or "__interrupt__" in state
        )
        return untouched and situation.attempt <= MAX_RESTARTS and await work.newer_messages()

    def _turn(self, held: Held, work: Assignment, *, policy: str) -> Turn:
        situation = work.situation

        async def emit(kind: str, data: dict[str, object]) -> None:
            await self._stream.append(
                situation.conversation_id,
                kind,
                data,
                ordinal=situation.ordinal,
                epoch=held.epoch,
            )

        turn: Turn
        tools = work.tools(lambda: self._speaker(turn), lambda: turn.locale, lambda: turn.recorded)
        turn = Turn(
            run_id=situation.run_id,
            conversation_id=situation.conversation_id,
            locale=situation.locale,
            tools=tools,
            provider=self._speaking.provider,
            fallback=self._speaking.fallback,
            by_agent=self._speaking.by_agent,
            emit=emit,
            policy=policy,
            max_steps=self._settings.max_steps,
            max_tokens=self._settings.max_tokens,
            max_cost_micros=self._settings.max_cost_micros,
            guesser=self._guesser,
            replay=dict(situation.steps),
            recorded=dict(situation.steps),
        )
        return turn

    def _speaker(self, turn: Turn) -> Speaker:
        agent = turn.agent or self._speaking.agent
        return Speaker(
            agent=agent,
            provider=turn.provider.name,
            model=turn.provider.model,
            prompt_version=self._speaking.prompt_version(agent, turn.policy),
        )

    async def _think(self, turn: Turn, situation: Situation) -> dict[str, Any]:
        """Run the graph; a failure of ours ends in an apology, never in silence."""
        if situation.attempt > MAX_ATTEMPTS:
            return {"failed": "attempts"}
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._invoke(turn, situation)
        except LeaseLost:
            raise
        except TimeoutError:
            return {"failed": "timeout"}
        except Exception:  # noqa: BLE001 the worker's boundary: the log has the reason
            _log.exception("run %s failed", situation.run_id)
            return {"failed": "internal"}

    async def _invoke(self, turn: Turn, situation: Situation) -> dict[str, Any]:
        thread = str(situation.run_id)
        config: RunnableConfig = {"configurable": {"thread_id": thread}}
        start: AgentState | Command[Any] = self._opening(situation)
        if situation.decided is not None:
            if situation.silent or not await self._saver.fetch(thread):
                return await self._without_graph(turn, situation)
            start = Command(resume={"accepted": situation.decided.accepted})
        else:
            self._saver.delete_thread(thread)
        result: dict[str, Any] = await self._graph.ainvoke(
            start, config, context=turn, durability="exit"
        )
        return result

    async def _without_graph(self, turn: Turn, situation: Situation) -> dict[str, Any]:
        """Carry out a decision whose graph is gone, or while a person answers.

        The frozen call is all that it takes.
        """
        decided = situation.decided
        if decided is None or not decided.accepted:
            return {"reply": say(turn.locale, "confirmation.rejected")}
        result = await turn.tools.execute_confirmed(decided.confirmation_id)
        done = result.status == "ok"
        return {"reply": say(turn.locale, f"confirmation.{'done' if done else 'failed'}")}

    def _opening(self, situation: Situation) -> AgentState:
        return opening_state(
            situation,
            now=self._clock.now(),
            time_zone=self._settings.time_zone,
            institution=self._settings.institution,
        )

    async def _announce(
        self,
        turn: Turn,
        situation: Situation,
        outcome: Outcome,
        stored: StoredReply | None,
        state: dict[str, Any],
    ) -> None:
        if stored is not None:
            await self._stream.append_message(
                situation.conversation_id, stored.id, stored.wire, ordinal=situation.ordinal
            )
        if any(name == "hand_off" and r.status == "ok" for name, r in turn.results):
            await turn.emit("handoff", {"status": "waiting", "advisor": False})
        if outcome.status == "waiting" and stored is not None:
            asked = dict(state["__interrupt__"][0].value)
            await turn.emit("confirmation_required", {"id": asked.pop("confirmation_id"), **asked})
        await turn.emit("run_finished", {"run_id": str(situation.run_id), "status": outcome.status})
