"""A local Hugging Face model, tiny and written to disk by the test: loading, template, calls.

No word stands in two of its sentences and each knows just its successor, so that what it says is
settled by the word that the chat template ends with; it proves the wiring, not the model. The extra
`models` is not installed by default; without it this is skipped.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what these packages warn of at import is theirs to mend
    torch = pytest.importorskip("torch", reason="needs the extra `models`: torch is not installed")
    transformers = pytest.importorskip(
        "transformers", reason="needs the extra `models`: transformers is not installed"
    )
    import tokenizers

from agents.llm.factory import build_providers
from agents.llm.transformers_model import TransformersChatModel
from agents.runtime.turn import ModelFailed
from agents.settings import AgentSettings
from tests.unit.agents.institution import FakeTools
from tests.unit.agents.scripted import Talk
from tools.catalogue import SPECS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agents.llm.guarded import GuardedProvider

pytestmark = pytest.mark.filterwarnings("ignore")

END = "</s>"
#: What the model says after the word that the template ends with.
CHAINS = {
    "<call>": '<tool_call> {"name": "search_courses", "arguments": {"query": "excel"}}',
    "<bare>": '{"name":"list_programmes", "parameters": {"area":"DAT"}}',
    "<broken>": '<tool_call>{"name":"get_course", "arguments":{"code":',
    "<answer>": "El precio es USD 89.00 [[course-dat-101]].",
    "<loop>": "otra",
}
TEMPLATE = (
    "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}"
    "{% set last = messages[-1] %}"
    "{% for word in ['bare', 'broken', 'loop'] %}"
    "{% if last.content == word %}<{{ word }}>{% endif %}{% endfor %}"
    "{% if last.role == 'tool' or not tools %}<answer>"
    "{% elif last.content not in ['bare', 'broken', 'loop'] %}<call>{% endif %}"
)


def write_model(folder: Path) -> Path:
    """Write a Llama of one layer whose every word is followed by the one of its chain."""
    chains = [[first, *said.split()] for first, said in CHAINS.items()]
    words = ["<unk>", END, *dict.fromkeys(word for chain in chains for word in chain)]
    follows = {a: b for chain in chains for a, b in zip(chain, [*chain[1:], END], strict=True)}
    follows["otra"] = "otra"
    number = {word: n for n, word in enumerate(words)}
    model = _model_that_follows({number[a]: number[b] for a, b in follows.items()}, len(words))
    model.generation_config.eos_token_id = number[END]
    model.save_pretrained(folder)
    kind = tokenizers.models.WordLevel(number, unk_token="<unk>")
    tokenizer = tokenizers.Tokenizer(kind)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token=END, chat_template=TEMPLATE
    )
    fast.save_pretrained(folder)
    return folder


def _model_that_follows(next_of: dict[int, int], words: int) -> object:
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=words,
            hidden_size=64,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=65_536,
            tie_word_embeddings=False,
        )
    )
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(words, 64))
        model.model.norm.weight.fill_(1.0)
        for word in range(words):
            model.lm_head.weight[next_of.get(word, 1), word] = 1.0
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny")


def settings_for(folder: Path, **more: object) -> AgentSettings:
    return AgentSettings(
        _env_file=None, llm_provider="transformers", transformers_model=str(folder), **more
    )


@pytest.fixture
def provider(folder: Path) -> GuardedProvider:
    prices = {"tiny": {"input_micros": 0, "output_micros": 1_000_000}}
    return build_providers(settings_for(folder, llm_prices=prices)).primary  # type: ignore[return-value]


def asked(text: str) -> list[SystemMessage | HumanMessage]:
    return [SystemMessage("Sé breve."), HumanMessage(text)]


async def collect(stream: AsyncIterator[AIMessageChunk]) -> tuple[AIMessageChunk, list[str]]:
    whole, texts = AIMessageChunk(content=""), []
    async for chunk in stream:
        texts.append(chunk.text)
        whole += chunk
    return whole, [text for text in texts if text]


async def test_model_asks_for_a_tool_by_its_template_and_answers_with_the_result(
    provider: GuardedProvider,
) -> None:
    talk = Talk(tools=FakeTools(), provider=provider)
    answer = await talk.say("¿cuánto cuesta excel?")
    assert answer.turn.degraded is None
    assert talk.tools.calls == [("search_courses", {"query": "excel"})]
    assert answer.reply == "El precio es USD 89.00 [1]."
    assert answer.titles == ["Excel para la gestión y el análisis"]
    assert answer.turn.usage.tokens_in > 0
    assert answer.turn.usage.cost_micros == answer.turn.usage.tokens_out > 10


async def test_text_streams_in_pieces_and_tells_what_it_took(provider: GuardedProvider) -> None:
    whole, texts = await collect(provider.stream(asked("hola"), []))
    assert whole.text.strip() == CHAINS["<answer>"]
    assert len(texts) > 2
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] == len(CHAINS["<answer>"].split()) + 1


async def test_call_is_not_shown_as_text(provider: GuardedProvider) -> None:
    for word, name in (("hola", "search_courses"), ("bare", "list_programmes")):
        whole, texts = await collect(provider.stream(asked(word), SPECS))
        assert texts == []
        assert [c["name"] for c in whole.tool_calls] == [name]


async def test_broken_call_stays_text_for_the_runner_to_refuse(provider: GuardedProvider) -> None:
    whole, texts = await collect(provider.stream(asked("broken"), SPECS))
    assert texts == []
    assert whole.tool_calls == []
    assert [c["name"] for c in whole.invalid_tool_calls] == ["get_course"]


async def test_reader_that_leaves_stops_the_model(folder: Path) -> None:
    settings = settings_for(folder, transformers_max_tokens=60_000)
    provider = build_providers(settings).primary
    async with aclosing(provider.stream(asked("loop"), SPECS)) as stream:  # type: ignore[type-var]
        async for chunk in stream:
            if chunk.text:
                break
    whole, _ = await collect(provider.stream(asked("hola"), []))
    assert whole.text.strip() == CHAINS["<answer>"], "the next answer had not to wait for the end"


async def test_answer_that_reaches_its_longest_says_so(folder: Path) -> None:
    chat = TransformersChatModel(folder=folder, max_tokens=5)
    answered = await chat.ainvoke(asked("hola"))
    assert answered.response_metadata["finish_reason"] == "length"
    assert answered.usage_metadata is not None
    assert answered.usage_metadata["output_tokens"] == 5


async def test_answer_without_end_is_cut_off(folder: Path) -> None:
    settings = settings_for(folder, transformers_max_tokens=60_000, llm_max_answer_chars=1_000)
    with pytest.raises(ModelFailed) as failed:
        await collect(build_providers(settings).primary.stream(asked("loop"), SPECS))
    assert failed.value.code == "too_long"


class SearchCourses(BaseModel):
    """Look for courses."""

    query: str


async def test_structured_output_is_read_into_its_model(folder: Path) -> None:
    wanted = type("search_courses", (SearchCourses,), {})
    chat = TransformersChatModel(folder=folder).with_structured_output(wanted)
    assert await chat.ainvoke(asked("hola")) == wanted(query="excel")


async def test_result_of_a_tool_reaches_the_template(folder: Path) -> None:
    chat = TransformersChatModel(folder=folder).bind_tools([SearchCourses])
    answered = [*asked("hola"), ToolMessage("{}", tool_call_id="c1", name="search_courses")]
    assert (await chat.ainvoke(answered)).text.strip() == CHAINS["<answer>"]


async def test_folder_without_a_model_makes_the_fallback_speak(tmp_path: Path) -> None:
    providers = build_providers(settings_for(tmp_path))
    talk = Talk(tools=FakeTools(), provider=providers.primary, fallback=providers.fallback)
    answer = await talk.say("¿cuánto cuesta el curso de excel?")
    assert answer.turn.degraded == "server_error"
    assert "USD 89.00" in answer.reply


def test_no_thread_of_a_model_is_left() -> None:
    assert [t for t in threading.enumerate() if "_make" in t.name] == []
