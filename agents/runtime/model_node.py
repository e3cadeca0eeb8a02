"""The graph node that lets a language model speak or ask for tools."""

from functools import cached_property

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.base import message_to_dict
from langchain_core.messages.utils import messages_from_dict
from langgraph.runtime import Runtime

from agents.runtime.budget import spent_budget
from agents.runtime.guards.evidence import Evidence
from agents.runtime.guards.marks import without_marks
from agents.runtime.guards.output import check_sentence, evidence_of
from agents.runtime.guards.sentences import SentenceStream, sentences_of
from agents.runtime.state import AgentState
from agents.runtime.storable import storable, storable_text
from agents.runtime.tool_node import calls_of
from agents.runtime.turn import ModelFailed, Provider, Turn


async def call_model(state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
    """Take the recorded output of this step, or ask the model for one.

    When the provider fails, what it had shown is withdrawn and the fallback speaks instead.
    """
    turn, step = runtime.context, state.get("step", 0)
    message = _recorded(turn, step) or await _ask(turn, state)
    turn.recorded[step] = message_to_dict(message)
    if asked := calls_of(message, step=step):
        spent = spent_budget(turn, [*state["messages"], message], steps=step + 1)
        if spent is not None:
            await turn.tools.refuse(asked, code=spent)
    return {"messages": [message], "step": step + 1}


def _recorded(turn: Turn, step: int) -> AIMessage | None:
    kept = turn.replay.get(step)
    if kept is None:
        return None
    (message,) = messages_from_dict([kept])
    return message if isinstance(message, AIMessage) else None


async def _ask(turn: Turn, state: AgentState) -> AIMessage:
    if turn.degraded is None:
        turn.provider = turn.by_agent.get(state.get("agent", ""), turn.provider)
    try:
        return await _speak(turn, turn.provider, state)
    except ModelFailed as failure:
        if turn.provider is turn.fallback:
            raise
        turn.degraded = failure.code
        turn.provider = turn.fallback
        await _withdraw(turn)
        return await _speak(turn, turn.fallback, state)


async def _speak(turn: Turn, provider: Provider, state: AgentState) -> AIMessage:
    """Stream one answer; only whole sentences that trace to evidence are shown."""
    screen = _Screen(turn, state)
    whole: AIMessageChunk | None = None
    async for chunk in provider.stream(state["messages"], turn.tools.available()):
        whole = chunk if whole is None else whole + chunk
        if not whole.tool_call_chunks:
            await screen.feed(storable_text(chunk.text))
    if whole is None:
        raise ModelFailed("bad_output", "empty stream")
    _count(turn, provider, whole)
    if whole.tool_call_chunks or whole.tool_calls:
        await _withdraw(turn)
        return _message_of(whole)
    if whole.response_metadata.get("finish_reason") == "length":
        return _message_of(_without_last_sentence(whole))
    await screen.close()
    return _message_of(whole)


def _without_last_sentence(chunk: AIMessageChunk) -> AIMessageChunk:
    """Return an answer that reached its longest without the sentence that was cut."""
    whole = sentences_of(chunk.text)[:-1]
    return chunk.model_copy(update={"content": "".join(whole)})


class _Screen:
    """What the student sees grow: sentences that trace, as soon as they are whole."""

    def __init__(self, turn: Turn, state: AgentState) -> None:
        self._turn = turn
        self._state = state
        self._sentences = SentenceStream()

    @cached_property
    def _evidence(self) -> Evidence:
        """What the run knows; gathered for an answer, not for a call that shows nothing."""
        return evidence_of(self._turn.results, self._state["messages"], self._state["brief"])

    async def feed(self, text: str) -> None:
        await self._show(self._sentences.feed(text))

    async def close(self) -> None:
        await self._show(self._sentences.close())

    async def _show(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if check_sentence(sentence, self._evidence):
                self._turn.released = True
                await self._turn.emit("token", {"text": without_marks(sentence)})


def _message_of(chunk: AIMessageChunk) -> AIMessage:
    said = message_to_dict(message_chunk_to_message(chunk))
    (message,) = messages_from_dict([storable(said)])
    if not isinstance(message, AIMessage):
        raise ModelFailed("bad_output", type(message).__name__)
    return message


async def _withdraw(turn: Turn) -> None:
    if turn.released:
        turn.released = False
        await turn.emit("draft_reset", {})


def _count(turn: Turn, provider: Provider, chunk: AIMessageChunk) -> None:
    usage = chunk.usage_metadata
    if usage is not None:
        turn.usage.tokens_in += usage["input_tokens"]
        turn.usage.tokens_out += usage["output_tokens"]
        turn.usage.cost_micros += provider.cost_micros(
            usage["input_tokens"], usage["output_tokens"]
        )
