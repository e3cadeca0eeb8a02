"""The offline model is a LangChain chat model like any other."""

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from agents.llm.factory import build_providers
from agents.llm.offline.model import OfflineChatModel
from agents.llm.offline_provider import OfflineProvider
from agents.settings import AgentSettings
from tests.unit.agents.test_prompt import BRIEF
from tools.catalogue import SPECS

SYSTEM = SystemMessage("", additional_kwargs=BRIEF.to_kwargs())
ASKED = [SYSTEM, HumanMessage("How much is the Excel course?")]


async def test_invoke_and_stream_ask_for_the_same_tools() -> None:
    model = OfflineChatModel().bind_tools(SPECS)
    told = model.invoke(ASKED)
    chunks = [chunk async for chunk in model.astream(ASKED)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk  # type: ignore[assignment]
    assert told.tool_calls == whole.tool_calls
    assert told.tool_calls[0]["name"] == "search_courses"
    assert told.tool_calls[0]["args"]["query"] == "excel"


async def test_reply_streams_by_sentence() -> None:
    asked = [SYSTEM, HumanMessage("What can you do?")]
    texts = [c.text async for c in OfflineChatModel().astream(asked) if c.text]
    assert len(texts) >= 2
    assert all(text.rstrip()[-1] in ".!?" for text in texts)
    assert "".join(texts) == OfflineChatModel().invoke(asked).text


async def test_tool_that_is_not_on_offer_is_not_asked_for() -> None:
    without = [spec for spec in SPECS if spec.name != "search_courses"]
    told = OfflineChatModel().bind_tools(without).invoke(ASKED)
    assert told.tool_calls == []
    assert "cannot look up courses" in told.text


def test_messages_without_a_brief_are_an_error() -> None:
    with pytest.raises(ValueError, match="brief"):
        OfflineChatModel().invoke([HumanMessage("hi")])


@pytest.mark.parametrize("content", ["no JSON", "[]", '"x"', '{"status": "ok"}', '{"data": 3}'])
def test_odd_tool_result_is_survived(content: str) -> None:
    asked = OfflineChatModel().bind_tools(SPECS).invoke(ASKED)
    call_id = asked.tool_calls[0]["id"]
    answer = ToolMessage(content, tool_call_id=call_id or "", name="search_courses")
    told = OfflineChatModel().bind_tools(SPECS).invoke([*ASKED, asked, answer])
    assert told.text


def test_results_of_another_model_are_put_into_words() -> None:
    call = {"name": "hand_off", "args": {"reason": "…"}, "id": "call_abc", "type": "tool_call"}
    done = json.dumps({"status": "ok", "data": {"status": "waiting"}, "sources": []})
    messages = [
        SYSTEM,
        HumanMessage("I want to talk to a person"),
        AIMessage("", tool_calls=[call]),
        ToolMessage(done, tool_call_id="call_abc", name="hand_off"),
    ]
    told = OfflineChatModel().bind_tools(SPECS).invoke(messages)
    assert told.tool_calls == []
    assert "a person will continue" in told.text


def test_factory_falls_back_to_offline() -> None:
    providers = build_providers(AgentSettings(_env_file=None))
    assert (providers.primary.name, providers.fallback.name) == ("offline", "offline")
    assert isinstance(providers.fallback, OfflineProvider)
    assert providers.fallback.cost_micros(10, 10) == 0
