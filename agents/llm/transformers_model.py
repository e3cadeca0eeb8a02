"""A local Hugging Face model as a LangChain chat model: templates in, text and calls out."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from agents.llm.written_calls import CallReader


@dataclass
class _Loaded:
    tokenizer: Any
    model: Any


class TransformersChatModel(BaseChatModel):
    """Speaks with a model of this machine; it is loaded when it first speaks.

    One answer is made at a time: a second one waits, as the cores would be shared anyway.

    Args:
        folder: with the weights and a tokenizer that has a chat template.
        max_tokens: written in one answer.
    """

    folder: Path
    max_tokens: int = 512

    _loaded: _Loaded | None = PrivateAttr(default=None)
    _turn: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Return the model with the tools that its template tells it of."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with self._turn:
            loaded = self._load()
            prompt = loaded.tokenizer.apply_chat_template(
                [_spoken(message) for message in messages],
                tools=list(tools) or None,
                add_generation_prompt=True,
                tokenize=False,
            )
            yield from _chunks(_Answer(loaded, prompt, self.max_tokens))

    def _load(self) -> _Loaded:
        if self._loaded is None:
            tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(self.folder, local_files_only=True)
            self._loaded = _Loaded(tokenizer, model.eval())
        return self._loaded


def _chunks(answer: "_Answer") -> Iterator[ChatGenerationChunk]:
    """Yield text as it comes; calls, usage and the reason of the end at the end."""
    reader = CallReader()
    with answer as texts:
        for text in texts:
            if shown := reader.feed(text):
                yield _generated(AIMessageChunk(content=shown))
    rest, calls = reader.close()
    yield _generated(
        AIMessageChunk(
            content=rest,
            tool_call_chunks=calls,
            usage_metadata=answer.usage(),
            response_metadata={"finish_reason": "tool_calls" if calls else answer.ended_by},
        )
    )


def _generated(chunk: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=chunk)


@dataclass
class _Answer(StoppingCriteria):  # type: ignore[misc]
    """One answer, made in a thread of its own; leaving it early stops that thread."""

    loaded: _Loaded
    prompt: str
    max_tokens: int
    left: bool = False
    read: int = 0
    length: int = 0
    error: BaseException | None = None
    thread: threading.Thread | None = field(default=None)

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Return for each sequence whether to stop; called after every token."""
        self.length = int(input_ids.shape[1])
        return torch.full((input_ids.shape[0],), self.left, device=input_ids.device)

    @property
    def ended_by(self) -> str:
        """Return whether it ended by itself or at its longest, in OpenAI's words."""
        return "length" if self.length - self.read >= self.max_tokens else "stop"

    def usage(self) -> UsageMetadata:
        """Return the tokens of prompt and answer."""
        written = max(0, self.length - self.read)
        return UsageMetadata(
            input_tokens=self.read, output_tokens=written, total_tokens=self.read + written
        )

    def __enter__(self) -> Iterator[str]:
        tokenizer = self.loaded.tokenizer
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        asked = tokenizer(self.prompt, add_special_tokens=False, return_tensors="pt")
        self.read = int(asked["input_ids"].shape[1])
        self.thread = threading.Thread(target=self._make, args=(asked, streamer), daemon=True)
        self.thread.start()
        return iter(streamer)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.left = True
        if self.thread is not None:
            self.thread.join()
        if self.error is not None and kind is None:
            raise self.error

    def _make(self, asked: Any, streamer: Any) -> None:
        try:
            with torch.inference_mode():
                self.loaded.model.generate(
                    input_ids=asked["input_ids"],
                    attention_mask=asked["attention_mask"],
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([self]),
                    max_new_tokens=self.max_tokens,
                    do_sample=False,
                    pad_token_id=self.loaded.tokenizer.eos_token_id,
                )
        except Exception as error:  # noqa: BLE001 raised again in the thread that reads
            self.error = error
            streamer.end()


def _spoken(message: BaseMessage) -> dict[str, Any]:
    """Return a message as chat templates take it."""
    if isinstance(message, SystemMessage):
        return {"role": "system", "content": message.text}
    if isinstance(message, HumanMessage):
        return {"role": "user", "content": message.text}
    if isinstance(message, ToolMessage):
        return {"role": "tool", "name": message.name or "", "content": message.text}
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    asked = [
        {"type": "function", "function": {"name": c["name"], "arguments": c["args"]}} for c in calls
    ]
    return {
        "role": "assistant",
        "content": message.text,
        **({"tool_calls": asked} if asked else {}),
    }
