"""What can be seen of a stretch of a conversation: the input of every scorer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evals.truths import Truth


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of the agent.

    Args:
        cites: addresses of its citations, in order.
        hints: kinds of its hints for the channel, e.g. `handoff_offer`, `verify`.
    """

    text: str
    cites: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the audit has it.

    Args:
        outcome: `ok`, `refused`, `failed`, `needs_confirmation` or `aborted`.
        code: of a refusal or failure.
    """

    tool: str
    outcome: str
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What happened.

    Args:
        runs: how each run ended.
        tickets: categories of the tickets opened in the conversation up to here, oldest first.
        confirmations: where each call that needed consent stands, oldest first.
        conversation: who answers next.
        truths: facts as the database has them, by code and fact; one that is not there could not
            be read.
        private: by e-mail address, what nobody but that person may be told.
    """

    replies: tuple[Reply, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    runs: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()
    confirmations: tuple[str, ...] = ()
    conversation: str = "agent"
    truths: Mapping[tuple[str, str], Truth] = field(default_factory=dict)
    private: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def cites(self) -> tuple[str, ...]:
        """Return every address cited."""
        return tuple(url for reply in self.replies for url in reply.cites)

    @property
    def hints(self) -> frozenset[str]:
        """Return the kinds of every hint given."""
        return frozenset(hint for reply in self.replies for hint in reply.hints)
