"""Named places where an experiment may kill the process; inert unless the environment asks."""

import os
import random
import signal
from collections.abc import Callable, Mapping

VARIABLE = "ORIENTA_CRASH_POINTS"

Reach = Callable[[str], None]


def crash_points(environment: Mapping[str, str]) -> Reach:
    """Return what to call at every named place: nothing happens there in a deployment.

    Args:
        environment: may hold `ORIENTA_CRASH_POINTS`, e.g. `confirm.done=0.05,*=0.01`: how often
            a place kills its process. Names are `<step>.begun`, `.done` and `.committed`.
    """
    asked = environment.get(VARIABLE)
    if not asked:
        return inert
    odds = {name: float(odd) for name, _, odd in (part.partition("=") for part in asked.split(","))}

    def reach(name: str) -> None:
        if random.random() < odds.get(name, odds.get("*", 0.0)):  # noqa: S311 (an experiment)
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def inert(name: str) -> None:
    """Go on: nobody experiments."""
