"""Hashes passwords off the event loop, at most two at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

#: One hash takes 64 MB and about 0.1 s; a flood of logins must not take all the memory.
_PARALLEL = 2


class Passwords:
    """Argon2id with the library's parameters (RFC 9106, low memory)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash("nobody has this account")

    async def hash(self, password: str) -> str:
        """Return a salted hash."""
        return await self._run(partial(self._hasher.hash, password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password fits; without a hash it takes as long and never does."""
        fits = await self._run(partial(self._verify, password_hash or self._nobody, password))
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
