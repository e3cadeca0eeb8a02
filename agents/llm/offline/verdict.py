"""Weighs what the rules say of a clause against what the classifier guesses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast, get_args

from agents.llm.offline.guessing import intent_model
from agents.llm.offline.intents import Intent, IntentName
from agents.runtime.brief import Guess

#: Never overruled: a life is at stake, or our own rules are.
_CERTAIN = frozenset({"danger", "override"})
#: Of a verdict of the rules that no phrase of ours has shown to be right or wrong.
_UNKNOWN_TRUST = 0.5
#: The rules do not know.
_LOST = frozenset({"unclear", "out_of_scope"})
_NAMES = frozenset(get_args(IntentName))


#: What is guessed against the rules takes more where the reply helps nobody else, and where the
#: rules know nearly every word for it.
_LEAST: Mapping[str, float] = {
    "override": 0.8,
    "others_data": 0.8,
    "abuse": 0.7,
    "programme": 0.8,
    "scholarships": 0.8,
}
#: Fewer words say what they want only beside those before them.
_LEAST_WORDS = 3


def evidence_of(intent: Intent) -> str:
    """Return what the rules' verdict rests on: its name, and what they read beside it."""
    found = {
        "field": intent.field if intent.name == "knowledge" else "",
        "facet": bool(intent.facets),
        "course": bool(intent.topic or intent.code),
        "named": intent.named,
        "wish": intent.wish,
    }
    return "+".join([intent.name, *(str(v) if k == "field" else k for k, v in found.items() if v)])


def settle(ruled: Intent, guess: Guess | None) -> Intent:
    """Return what a clause wants by the surer of both.

    Args:
        ruled: what the rules say, with everything that they read in the clause.
    """
    if guess is None or ruled.name in _CERTAIN or _head(guess.label) == ruled.name:
        return ruled
    trust = intent_model().trust.get(evidence_of(ruled), _UNKNOWN_TRUST)
    if len(ruled.text.split()) < _LEAST_WORDS and ruled.name not in _LOST:
        return ruled
    least = max(trust, _LEAST.get(guess.label, 0.0))
    return ruled if guess.probability <= least else _as_guessed(ruled, guess)


def _as_guessed(ruled: Intent, guess: Guess) -> Intent:
    name, _, field = guess.label.partition(".")
    if name not in _NAMES:
        return ruled
    return replace(ruled, name=cast(IntentName, name), field=field or ruled.field)


def _head(label: str) -> str:
    return label.partition(".")[0]


Guesses = Mapping[str, Guess]
"""Guesses by the clause's words as they were typed."""
