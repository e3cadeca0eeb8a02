"""What the tests over HTTP share: a model that they script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.openai_server import OpenAIServer, openai_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    """A server that speaks OpenAI's protocol and says what a test wrote for it."""
    with openai_server() as server:
        yield server
