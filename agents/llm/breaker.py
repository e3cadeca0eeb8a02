"""A circuit breaker: after failures in a row a provider is left alone for a while."""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a circuit opens, and for how long."""

    failures: int
    open_s: float


@dataclass(frozen=True, slots=True)
class Circuit:
    """A breaker's state; closed when `opened_at` is None.

    Args:
        failures: in a row.
        opened_at: by a monotonic clock.
        probing: one call is out to see whether the provider is back.
    """

    failures: int = 0
    opened_at: float | None = None
    probing: bool = False


def may_pass(circuit: Circuit, rules: BreakerRules, now: float) -> bool:
    """Return whether a call may be tried: always when closed, one at a time after the pause."""
    if circuit.opened_at is None:
        return True
    return not circuit.probing and now - circuit.opened_at >= rules.open_s


def entered(circuit: Circuit) -> Circuit:
    """Return the state once a call was let through."""
    return circuit if circuit.opened_at is None else replace(circuit, probing=True)


def succeeded() -> Circuit:
    """Return the state after a call that worked: closed, nothing counted."""
    return Circuit()


def failed(circuit: Circuit, rules: BreakerRules, now: float) -> Circuit:
    """Return the state after a call that failed: one more, open when there are enough."""
    failures = circuit.failures + 1
    opens = failures >= rules.failures or circuit.opened_at is not None
    return Circuit(failures, now if opens else None)


def abandoned(circuit: Circuit) -> Circuit:
    """Return the state after a call that nobody waited for: it says nothing either way."""
    return replace(circuit, probing=False)


class Breaker:
    """The circuit of one provider in this process.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, rules: BreakerRules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._circuit = Circuit()

    def enter(self) -> bool:
        """Return whether a call may be tried, and count it as under way."""
        if not may_pass(self._circuit, self._rules, self._clock()):
            return False
        self._circuit = entered(self._circuit)
        return True

    def succeed(self) -> None:
        """Note a call that worked."""
        self._circuit = succeeded()

    def fail(self) -> None:
        """Note a call that failed."""
        self._circuit = failed(self._circuit, self._rules, self._clock())

    def abandon(self) -> None:
        """Note a call that was given up from outside."""
        self._circuit = abandoned(self._circuit)
