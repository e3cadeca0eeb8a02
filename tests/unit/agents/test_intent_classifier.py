"""The classifier of intents: what it learns, what is shipped, how it decides beside the rules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.llm.offline.features import count_words, learn_scaling
from agents.llm.offline.guessing import WEIGHTS, IntentModel, TrainedGuesser, intent_model
from agents.llm.offline.intents import Intent, Remembered
from agents.llm.offline.phrases import Phrase, training_phrases
from agents.llm.offline.regression import fit_regression
from agents.llm.offline.training import Lesson, train_intents, trust_in_rules
from agents.llm.offline.understanding import understand, worth_guessing
from agents.llm.offline.verdict import settle
from agents.runtime.brief import Guess

SIZE = 16
LABELS = ("thanks", "pay", "out_of_scope", "knowledge.refunds")


def vector_of(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Stand in for an embedder: texts that share words lie near each other."""
    rows = np.array([np.random.default_rng(len(w) * 31 + ord(w[0])).normal(size=SIZE)
                     for w in text.split() or ["?"]])  # fmt: skip
    mean = rows.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def lesson_of(labels: Sequence[str] = LABELS) -> Lesson:
    phrases = tuple(p for p in training_phrases() if p.label in labels)
    return Lesson(phrases, np.stack([vector_of(p.text) for p in phrases]))


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return lesson_of()


@pytest.fixture(scope="module")
def trained(lesson: Lesson) -> IntentModel:
    return train_intents(lesson, embedder="words@1")


def test_every_intent_has_phrases_in_both_languages() -> None:
    written = Counter((p.label, p.locale) for p in training_phrases() if not p.rough)
    labels = {label for label, _ in written}
    assert all(written[label, locale] >= 8 for label in labels for locale in ("es", "en"))


def test_no_phrase_stands_under_two_labels() -> None:
    labels: dict[str, set[str]] = {}
    for phrase in training_phrases():
        if not phrase.rough:
            labels.setdefault(phrase.text.casefold(), set()).add(phrase.label)
    assert [text for text, under in labels.items() if len(under) > 1] == []


def test_new_line_changes_no_other_phrase() -> None:
    first, second = training_phrases(), training_phrases()
    assert first == second
    assert len({p.text for p in first if "{" in p.text}) == 0


def test_haste_changes_spelling_and_keeps_the_label() -> None:
    by_origin: dict[int, set[str]] = {}
    for phrase in training_phrases():
        by_origin.setdefault(phrase.origin, set()).add(phrase.label)
    assert all(len(labels) == 1 for labels in by_origin.values())


def test_learning_twice_gives_the_same_decisions(lesson: Lesson, trained: IntentModel) -> None:
    again = train_intents(lesson, embedder="words@1")
    texts = [p.text for p in lesson.phrases]
    assert again.guess(texts, lesson.vectors) == trained.guess(texts, lesson.vectors)


def test_what_it_learnt_it_knows(lesson: Lesson, trained: IntentModel) -> None:
    guessed = trained.guess([p.text for p in lesson.phrases], lesson.vectors)
    right = [g.label == p.label for g, p in zip(guessed, lesson.phrases, strict=True)]
    assert np.mean(right) > 0.95


def test_half_precision_changes_no_decision(
    lesson: Lesson, trained: IntentModel, tmp_path: Path
) -> None:
    trained.save(tmp_path / "weights.npz")
    kept = IntentModel.load(tmp_path / "weights.npz")
    texts = [p.text for p in lesson.phrases]
    before = [g.label for g in trained.guess(texts, lesson.vectors)]
    assert [g.label for g in kept.guess(texts, lesson.vectors)] == before
    assert (kept.embedder, kept.labels) == (trained.embedder, trained.labels)
    assert kept.trust == pytest.approx(trained.trust)


def test_shipped_weights_are_small_and_know_every_label() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    assert set(intent_model().labels) == {p.label for p in training_phrases()}


def test_regression_separates_what_can_be_separated() -> None:
    rows = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32)
    labels = rows[:, :3].argmax(axis=1)
    likely = fit_regression(rows, labels, strength=100.0).probabilities(rows)
    assert np.mean(likely.argmax(axis=1) == labels) > 0.9
    assert likely.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-5)


def test_word_in_every_text_weighs_less() -> None:
    counts = count_words(["hola pago", "hola beca", "hola clase"])
    rarity = learn_scaling(np.zeros((3, 2), np.float32), counts).rarity
    common, own = count_words(["hola"])[0] > 0, count_words(["beca"])[0] > 0
    assert rarity[common].mean() < rarity[own].mean()


def test_trust_counts_how_often_a_verdict_is_right() -> None:
    told = [
        Phrase("gracias", "thanks", "es", 0),
        Phrase("muchas gracias", "thanks", "es", 1),
        Phrase("mil gracias", "pay", "es", 2),
    ]
    assert trust_in_rules(told) == {"thanks": pytest.approx(3 / 5)}


def test_surer_of_both_decides() -> None:
    ruled = Intent(name="course_search", text="algo de eso que vimos", topic="eso")
    trust = intent_model().trust["course_search+course"]
    above, below = Guess("pay", trust + 0.1), Guess("pay", trust - 0.1)
    assert settle(ruled, above) == replace(ruled, name="pay")
    assert settle(ruled, below) == ruled
    assert settle(ruled, None) == ruled


def test_guess_of_a_field_names_the_documents() -> None:
    settled = settle(Intent(name="unclear", text="…"), Guess("knowledge.refunds", 0.99))
    assert (settled.name, settled.field) == ("knowledge", "refunds")


def test_danger_is_never_overruled() -> None:
    ruled = Intent(name="danger")
    assert settle(ruled, Guess("out_of_scope", 1.0)) == ruled


def test_label_that_no_flow_serves_yet_changes_nothing() -> None:
    ruled = Intent(name="unclear")
    assert settle(ruled, Guess("some_later_label", 1.0)) == ruled


def test_each_clause_is_guessed_and_served() -> None:
    said = ["un tema de la plata que puse, y necesito una mano con lo del idioma"]
    money, language = worth_guessing(said, "es")
    guesses = {money: Guess("my_payments", 0.99), language: Guess("my_tickets", 0.99)}
    intents = understand(said, "es", Remembered(), guesses)
    assert [i.name for i in intents] == ["my_payments", "my_tickets"]


def test_answer_to_a_question_of_ours_is_not_guessed() -> None:
    said = ["la plata que puse el lunes"]
    guesses = {said[0]: Guess("my_payments", 0.99)}
    intents = understand(said, "es", Remembered(open_task="open_ticket"), guesses)
    assert [i.name for i in intents] == ["open_ticket"]


async def test_without_a_vector_there_is_no_guess(trained: IntentModel) -> None:
    async def nothing(text: str) -> None:
        return None

    assert await TrainedGuesser(trained, nothing).guess(["quiero pagar"]) == {}


async def test_guesser_answers_by_text(trained: IntentModel) -> None:
    async def embed(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return vector_of(text)

    guesses = await TrainedGuesser(trained, embed).guess(["quiero pagar mi cuota", "gracias"])
    assert {text: g.label for text, g in guesses.items()} == {
        "quiero pagar mi cuota": "pay",
        "gracias": "thanks",
    }
