"""Medians, percentiles, and the cost of one more turn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of the values do not exceed.

    Raises: ValueError: there are no values, or percent is not within 0 to 100.
    Source: nearest-rank method.
    """
    if not values or not 0 <= percent <= 100:
        raise ValueError("a percentile needs values and a percent within 0 to 100")
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in milliseconds.

    Args:
        cpu: the median of the time that this process computed; a busy machine moves it less.
    """

    p50: float
    p95: float
    cpu: float
    count: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement, in milliseconds."""

    ms: float
    cpu_ms: float


def times_of(repeats: Sequence[Sequence[Sample]]) -> Times:
    """Return the medians over repeats of each repeat's percentiles.

    A repeat that the machine disturbed moves the median of repeats less than it moves a percentile
    of everything.

    Raises: ValueError: there are no values.
    """
    return Times(
        p50=median(percentile([s.ms for s in samples], 50) for samples in repeats),
        p95=median(percentile([s.ms for s in samples], 95) for samples in repeats),
        cpu=median(percentile([s.cpu_ms for s in samples], 50) for samples in repeats),
        count=sum(map(len, repeats)),
    )


def per_turn(
    few: Mapping[str, float], many: Mapping[str, float], *, more_turns: int
) -> dict[str, float]:
    """Return what one more turn costs, by counter.

    What it takes to open and close a session is in both counts and cancels out.

    Args:
        few: counters over some turns.
        many: counters over `more_turns` more of them.
    Raises: ValueError: `more_turns` is not positive.
    """
    if more_turns < 1:
        raise ValueError("the second count must be over more turns")
    return {name: (many[name] - few[name]) / more_turns for name in few if name in many}


def ratio(value: float, base: float) -> float | None:
    """Return a value as a multiple of another; None where that is nothing, or less by noise."""
    return value / base if base > 0 else None
