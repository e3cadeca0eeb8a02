"""The labelled utterances that no classifier of ours has seen, and how they are judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from agents.llm.offline.intents import Intent, Remembered
from agents.llm.offline.understanding import understand, worth_guessing
from agents.runtime.brief import Locale
from agents.runtime.turn import Guesser

FOLDER = Path(__file__).parents[1] / "suites" / "intents"
LOCALES: tuple[Locale, ...] = ("es", "en")
OUTSIDE = "out_of_scope"

#: The suite's labels are coarser than our intents.
_LABELS = {
    "join_waitlist": "waitlist",
    "leave_waitlist": "waitlist",
    "my_waitlist": "waitlist",
    "accept_offer": "waitlist",
    "my_appointments": "appointment",
    "move_appointment": "appointment",
    "cancel_appointment": "appointment",
    "my_certificates": "certificate",
    "stop_contact": "consent",
    "allow_contact": "consent",
}
#: What the documents say of these fields answers two of the suite's labels.
_FIELDS = {"refunds": "refund", "certificates": "certificate"}


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a student types, and what they want above all."""

    text: str
    label: str
    locale: Locale


@dataclass(frozen=True, slots=True)
class Routed:
    """An utterance with the label that it was given first."""

    utterance: Utterance
    labels: frozenset[str]

    @property
    def right(self) -> bool:
        """Return whether it was routed to what is wanted."""
        return self.utterance.label in self.labels

    @property
    def outside(self) -> bool:
        """Return whether it was taken for none of ours."""
        return OUTSIDE in self.labels


def load_utterances() -> Iterator[Utterance]:
    """Read the suite."""
    for locale in LOCALES:
        labelled = yaml.safe_load((FOLDER / f"{locale}.yaml").read_text(encoding="utf-8"))
        for label, texts in labelled.items():
            yield from (Utterance(str(text), label, locale) for text in texts)


async def route(utterance: Utterance, guesser: Guesser | None) -> Routed:
    """Understand one utterance as the assistant does, at the start of a conversation.

    Args:
        guesser: None for the rules alone.
    """
    said, locale = [utterance.text], utterance.locale
    guesses = await guesser.guess(worth_guessing(said, locale)) if guesser else {}
    first = understand(said, locale, Remembered(), guesses)[0]
    return Routed(utterance, labels_of(first))


def labels_of(intent: Intent) -> frozenset[str]:
    """Return the suite's labels that are served by an intent."""
    name = _LABELS.get(intent.name, intent.name)
    if intent.name == "knowledge" and intent.field in _FIELDS:
        return frozenset({name, _FIELDS[intent.field]})
    return frozenset({name})
