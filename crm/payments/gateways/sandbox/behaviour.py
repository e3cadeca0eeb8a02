"""How the sandbox misbehaves on demand: the same seed gives the same mischief."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

#: However high the percentage, a call or an answer gets through after so many tries.
STUBBORN_TRIES = 3
_MOST_COPIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How often what goes wrong, in percent; all zero is a gateway that never fails.

    Args:
        refuse_percent: calls that fail before anything happened.
        lose_percent: calls that do their work and then never answer.
        duplicate_percent: webhooks that arrive two or three times.
        drop_percent: webhooks that never arrive.
        delay_max_s: webhooks wait up to so long.
        reorder: webhooks that are due together arrive in any order.
        refunds: how refunds end, `pending_…` only after `refund_delay_s`.
    """

    seed: int = 0
    refuse_percent: int = 0
    lose_percent: int = 0
    duplicate_percent: int = 0
    drop_percent: int = 0
    delay_max_s: int = 0
    reorder: bool = False
    refunds: Literal["done", "failed", "pending_done", "pending_failed"] = "done"
    refund_delay_s: int = 5

    @property
    def refund_outcome(self) -> Literal["done", "failed"]:
        """Return how a refund ends."""
        return "failed" if self.refunds.endswith("failed") else "done"

    @property
    def refund_waits(self) -> bool:
        """Return whether a refund is pending first."""
        return self.refunds.startswith("pending")

    def refuses(self, call: str, attempt: int) -> bool:
        """Return whether this try of a call fails before its work."""
        return attempt <= STUBBORN_TRIES and self._hits("refuse", call, attempt) < (
            self.refuse_percent
        )

    def loses(self, call: str, attempt: int) -> bool:
        """Return whether this try of a call does its work and does not answer."""
        return attempt <= STUBBORN_TRIES and self._hits("lose", call, attempt) < self.lose_percent

    def drops(self, event_id: str) -> bool:
        """Return whether nobody will hear of this event unless they ask."""
        return self._hits("drop", event_id, 0) < self.drop_percent

    def copies(self, event_id: str) -> int:
        """Return how often the event is reported."""
        if self._hits("duplicate", event_id, 0) >= self.duplicate_percent:
            return 1
        return 2 + self._number("copies", event_id, 0) % (_MOST_COPIES - 1)

    def delay(self, event_id: str, copy: int) -> timedelta:
        """Return how long a report waits at first."""
        return timedelta(seconds=self._number("delay", event_id, copy) % (self.delay_max_s + 1))

    def rank(self, event_id: str, copy: int, *, in_order: int) -> int:
        """Return the place of a report among those that are due: lower goes first."""
        return self._number("rank", event_id, copy) if self.reorder else in_order

    def _hits(self, what: str, about: str, number: int) -> int:
        return self._number(what, about, number) % 100

    def _number(self, what: str, about: str, number: int) -> int:
        digest = hashlib.sha256(f"{self.seed}|{what}|{about}|{number}".encode()).digest()
        return int.from_bytes(digest[:6])
