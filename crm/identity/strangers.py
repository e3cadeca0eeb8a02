"""Counts logins to addresses without an account, so that a lock-out tells nothing about one."""

import hashlib
from collections import OrderedDict

from crm.identity.models import Tries

_MAX = 10_000


class Strangers:
    """Tries an address, kept in this process only: for real accounts the database counts.

    Holds digests of the addresses, the latest 10,000.
    """

    def __init__(self) -> None:
        self._tries: OrderedDict[bytes, Tries] = OrderedDict()

    def tries_of(self, email: str) -> Tries:
        """Return the tries at an address so far."""
        return self._tries.get(_digest(email), Tries())

    def keep(self, email: str, tries: Tries) -> None:
        """Keep the tries at an address."""
        self._tries[_digest(email)] = tries
        self._tries.move_to_end(_digest(email))
        if len(self._tries) > _MAX:
            self._tries.popitem(last=False)


def _digest(email: str) -> bytes:
    return hashlib.sha256(email.encode()).digest()
