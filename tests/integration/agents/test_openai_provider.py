"""The OpenAI-compatible provider against a real local server, through its real client."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from agents.llm.guarded import GuardedProvider
from agents.llm.openai_provider import build_openai
from agents.runtime.turn import ModelFailed
from agents.settings import AgentSettings
from tests.openai_server import (
    OpenAIServer,
    Step,
    call,
    cut,
    empty,
    end_early,
    hang,
    openai_server,
    say,
    stall,
    status,
)
from tools.catalogue import SPECS

ASKED = [SystemMessage("Be brief."), HumanMessage("How much is Python?")]
PRICES = {"test-model": {"input_micros": 1_000_000, "output_micros": 2_000_000}}
ANSWER = "It costs USD 149.00. The next group starts soon."


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(running: OpenAIServer) -> OpenAIServer:
    running.reset()
    return running


class Waits:
    """Takes the place of sleeping and keeps how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Build:
    """Builds providers and closes them after the test."""

    def __init__(self) -> None:
        self.built: list[GuardedProvider] = []

    def __call__(
        self, server: OpenAIServer, waits: Waits | None = None, **changed: object
    ) -> GuardedProvider:
        settings = AgentSettings(
            _env_file=None,
            llm_provider="openai",
            openai_base_url=server.base_url,
            openai_model="test-model",
            **{"llm_first_token_timeout_s": 5.0, "llm_prices": PRICES, **changed},
        )
        provider = build_openai(settings, "test-model", sleep=waits or Waits())
        self.built.append(provider)
        return provider


@pytest.fixture
async def provider_for() -> AsyncIterator[Build]:
    build = Build()
    yield build
    for provider in build.built:
        await provider.aclose()


async def collect(stream: AsyncIterator[AIMessageChunk]) -> AIMessageChunk:
    whole: AIMessageChunk | None = None
    async for chunk in stream:
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


async def failure_of(provider: GuardedProvider) -> str:
    with pytest.raises(ModelFailed) as failed:
        await collect(provider.stream(ASKED, SPECS))
    return failed.value.code


async def test_text_streams_in_pieces_and_tells_usage(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(say(ANSWER, pieces=5))
    provider = provider_for(server)
    texts = []
    usage = None
    async for chunk in provider.stream(ASKED, SPECS):
        texts.append(chunk.text)
        usage = chunk.usage_metadata or usage
    assert "".join(texts) == ANSWER
    assert len([t for t in texts if t]) == 5
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"]) == (100, 20)
    assert provider.cost_micros(100, 20) == 140


async def test_request_holds_tools_both_token_limits_and_no_brief(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(say("ok"))
    told = SystemMessage("Be brief.", additional_kwargs={"brief": {"secret": "inside"}})
    await collect(provider_for(server).stream([told, *ASKED[1:]], SPECS))
    (body,) = server.requests
    assert body["max_tokens"] == body["max_completion_tokens"] == 700
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert {t["function"]["name"] for t in body["tools"]} == {s.name for s in SPECS}
    assert all(t["function"]["parameters"]["type"] == "object" for t in body["tools"])
    assert "secret" not in str(body)


async def test_tool_calls_arrive_whole_at_the_end(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(
        call(
            ("search_courses", '{"query": "python"}'), ("list_scholarships", ""), text="One moment."
        )
    )
    whole = await collect(provider_for(server).stream(ASKED, SPECS))
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [
        ("search_courses", {"query": "python"}),
        ("list_scholarships", {}),
    ]
    assert [c["id"] for c in whole.tool_calls] == ["call_0", "call_1"]


async def test_name_that_a_server_repeats_is_repaired(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(call(("search_courses", '{"query": "python"}'), doubled=True))
    whole = await collect(provider_for(server).stream(ASKED, SPECS))
    assert [c["name"] for c in whole.tool_calls] == ["search_courses"]


async def test_tool_that_does_not_exist_is_left_to_the_runner(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(call(("drop_tables", "{}")))
    whole = await collect(provider_for(server).stream(ASKED, SPECS))
    assert [c["name"] for c in whole.tool_calls] == ["drop_tables"]


@pytest.mark.parametrize(
    "arguments",
    ['{"query": "pyth', '{"query": ', "python", '["python"]', '{"query": "a"} }', "{'q'}"],
)
async def test_arguments_that_are_no_json_object_stay_text(
    provider_for: Build, server: OpenAIServer, arguments: str
) -> None:
    server.will(call(("search_courses", arguments)))
    whole = await collect(provider_for(server).stream(ASKED, SPECS))
    assert whole.tool_calls == []
    (broken,) = whole.invalid_tool_calls
    assert broken["name"] == "search_courses"
    assert str(broken["args"]).endswith(arguments)


async def test_broken_call_in_the_history_is_sent_as_json(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(say("Sorry, again."))
    broken = {
        "name": "search_courses",
        "args": "{'q'",
        "id": "c1",
        "error": None,
        "type": "invalid_tool_call",
    }
    asked = AIMessage("", invalid_tool_calls=[broken])
    answered = ToolMessage('{"status": "refused"}', tool_call_id="c1", name="search_courses")
    await collect(provider_for(server).stream([*ASKED, asked, answered], SPECS))
    (sent,) = server.requests[0]["messages"][2]["tool_calls"]
    assert sent["function"] == {"name": "search_courses", "arguments": '{"invalid": "{\'q\'"}'}


async def test_rate_limit_waits_as_long_as_asked_and_tries_again(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(status(429, Retry_After="2"), say(ANSWER))
    waits = Waits()
    whole = await collect(provider_for(server, waits).stream(ASKED, SPECS))
    assert whole.text == ANSWER
    assert waits.seconds == [2.0]
    assert len(server.requests) == 2


async def test_rate_limit_that_asks_for_too_long_is_given_up_at_once(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(status(429, Retry_After="3600"), say(ANSWER))
    waits = Waits()
    assert await failure_of(provider_for(server, waits)) == "rate_limited"
    assert waits.seconds == []
    assert len(server.requests) == 1


async def test_server_error_is_tried_again_within_bounds(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(status(500), status(503), status(500), say(ANSWER))
    waits = Waits()
    assert await failure_of(provider_for(server, waits)) == "server_error"
    assert waits.seconds == [0.25, 0.5]
    assert len(server.requests) == 3


async def test_rejected_request_is_not_tried_again(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(status(401), say(ANSWER))
    assert await failure_of(provider_for(server)) == "rejected"
    assert len(server.requests) == 1


async def test_server_that_never_answers_times_out(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(hang(), hang())
    provider = provider_for(server, llm_first_token_timeout_s=0.2, llm_max_retries=1)
    assert await failure_of(provider) == "timeout"
    assert len(server.requests) == 2


async def test_server_that_falls_silent_after_a_word_times_out(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(stall("It costs"), say(ANSWER))
    assert await failure_of(provider_for(server, llm_chunk_timeout_s=0.2)) == "timeout"
    assert len(server.requests) == 1


@pytest.mark.parametrize("step", [cut, end_early])
async def test_stream_cut_after_words_were_passed_on_fails(
    provider_for: Build, server: OpenAIServer, step: object
) -> None:
    server.will(step("It costs "), say(ANSWER))  # type: ignore[operator]
    assert await failure_of(provider_for(server)) == "cut_stream"
    assert len(server.requests) == 1


async def test_stream_cut_before_any_word_is_tried_again(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(cut(""), say(ANSWER))
    whole = await collect(provider_for(server).stream(ASKED, SPECS))
    assert whole.text == ANSWER


async def test_empty_answer_is_tried_again_and_then_fails(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(empty(), empty(), empty())
    assert await failure_of(provider_for(server)) == "bad_output"
    assert len(server.requests) == 3


async def test_refused_connection_is_a_server_error(provider_for: Build) -> None:
    gone = OpenAIServer("http://127.0.0.1:9/v1")
    assert await failure_of(provider_for(gone)) == "server_error"


async def test_open_circuit_spares_the_server(provider_for: Build, server: OpenAIServer) -> None:
    server.otherwise = status(500)
    provider = provider_for(server, llm_max_retries=0, llm_breaker_failures=2)
    assert await failure_of(provider) == "server_error"
    assert await failure_of(provider) == "server_error"
    assert await failure_of(provider) == "open_circuit"
    assert len(server.requests) == 2


async def test_reader_that_leaves_does_not_count_as_a_failure(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(stall("It costs"), say(ANSWER))
    provider = provider_for(server, llm_max_retries=0, llm_breaker_failures=1)
    async with aclosing(provider.stream(ASKED, SPECS)) as stream:
        async for chunk in stream:
            if chunk.text:
                break
    assert (await collect(provider.stream(ASKED, SPECS))).text == ANSWER


@pytest.mark.parametrize(
    "flood",
    [
        say("y " * 30_000, pieces=200),
        call(("search_courses", '{"query": "' + "x" * 1_000_000 + '"}')),
        call(*[("search_courses", "{}")] * 70),
    ],
    ids=["a ramble", "arguments of a megabyte", "more calls than anybody needs"],
)
async def test_answer_that_grows_too_large_is_cut_off_and_not_asked_for_again(
    provider_for: Build, server: OpenAIServer, flood: Step
) -> None:
    server.will(flood, say(ANSWER))
    assert await failure_of(provider_for(server)) == "too_long"
    assert len(server.requests) == 1


async def test_tokens_are_estimated_where_the_server_does_not_tell(
    provider_for: Build, server: OpenAIServer
) -> None:
    server.will(say(ANSWER, usage=False), call(("search_courses", "{}"), usage=False))
    provider = provider_for(server)
    for written in (len(ANSWER), len("search_courses{}")):
        whole = await collect(provider.stream(ASKED, SPECS))
        assert whole.usage_metadata is not None
        read = sum(len(message.text) for message in ASKED)
        assert whole.usage_metadata["input_tokens"] == -(-read // 3)
        assert whole.usage_metadata["output_tokens"] == -(-written // 3)
