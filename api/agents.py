"""Wires the agents: providers, graph, checkpoints, engine."""

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agents.llm.factory import Providers
from agents.runtime.checkpoints import InterruptSaver
from agents.runtime.engine import EngineSettings, Speaking, TurnEngine
from agents.runtime.ports import EventStream
from agents.runtime.state import STATE_TYPES
from agents.runtime.turn import Guesser
from agents.supervisor.graph import build_graph
from agents.supervisor.table import AGENTS, STUDENT_SUPPORT
from api.desk import TurnDesk
from api.settings import Settings
from crm.db import Database
from crm.policy.service import PolicyService


def build_engine(
    settings: Settings,
    *,
    desk: TurnDesk,
    database: Database,
    stream: EventStream,
    providers: Providers,
    policy: PolicyService,
    guesser: Guesser | None,
) -> TurnEngine:
    """Return the turn engine of this process."""
    kept_types = [(kind.__module__, kind.__name__) for kind in STATE_TYPES]
    serde = JsonPlusSerializer(allowed_msgpack_modules=kept_types)
    saver = InterruptSaver(AsyncPostgresSaver(database.pool, serde=serde))
    return TurnEngine(
        desk=desk,
        graph=build_graph(saver),
        saver=saver,
        stream=stream,
        speaking=Speaking(
            agent=STUDENT_SUPPORT.name,
            prompt_version=lambda agent, text: AGENTS[agent].prompt_version(text),
            provider=providers.primary,
            fallback=providers.fallback,
            by_agent=providers.by_agent,
        ),
        clock=database.clock,
        policy=policy.text,
        settings=EngineSettings(
            institution=settings.institution,
            time_zone=settings.time_zone,
            max_steps=settings.turn_max_steps,
            max_tokens=settings.turn_max_tokens,
            max_cost_micros=settings.turn_max_cost_micros,
            timeout_s=settings.turn_timeout_s,
        ),
        guesser=guesser,
    )
