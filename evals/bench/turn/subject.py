"""What is measured: something that answers a student, turn after turn."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from api.settings import Settings


class Talk(Protocol):
    """One conversation.

    Args:
        messages_a_turn: how many messages a turn adds to what the subject keeps of it.
    """

    messages_a_turn: int

    async def turn(self) -> None:
        """Ask the question and wait until the answer is stored."""
        ...

    async def last_said(self) -> str:
        """Return the last answer as it was stored."""
        ...


class Desk(Protocol):
    """A subject, open for conversations."""

    async def begin(self) -> Talk:
        """Start a conversation."""
        ...


class Subject(Protocol):
    """One of the systems compared.

    Args:
        stores_in: address of the database that it writes to.
    """

    name: str
    stores_in: str

    def open(self) -> AbstractAsyncContextManager[Desk]:
        """Open its connections, and nothing that another subject shares."""
        ...


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the subjects work.

    Args:
        settings: of ours, complete; the institution is loaded there.
        peer_url: a database on the same server for what a peer stores.
    """

    settings: Settings
    peer_url: str
