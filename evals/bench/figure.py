"""One line of a benchmark: a figure, what it shall be, and how a peer does."""

from dataclasses import dataclass
from typing import Literal

from evals.bench.statistics import ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured.

    Args:
        value: ours.
        aim: the bound, on the ratio to the peer or on the value itself; None only informs.
        at_least: the aim is a lower bound: more is better.
        peer: who was measured beside us.
        peer_value: theirs, in the same unit.
        note: what a reader has to know.
    """

    part: str
    name: str
    unit: str
    value: float
    aim: float | None = None
    aim_on: Literal["ratio", "value"] = "ratio"
    at_least: bool = False
    peer: str | None = None
    peer_value: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return ours as a multiple of the peer's."""
        return None if self.peer_value is None else ratio(self.value, self.peer_value)

    @property
    def holds(self) -> bool | None:
        """Return whether the aim is reached; None when there is none, or nothing to hold it to."""
        held = self.value if self.aim_on == "value" else self.ratio
        if self.aim is None or held is None:
            return None
        return held >= self.aim if self.at_least else held <= self.aim
