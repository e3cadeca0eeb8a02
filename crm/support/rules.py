"""Support's rules: pure functions, no I/O."""

from collections.abc import Mapping

from crm.errors import RuleBroken
from crm.support.commands import OpenTicket
from crm.support.models import TicketStatus

MAX_TITLE = 200
MAX_TEXT = 8_000

#: From each state the ones that may follow; back to `open` is reopening.
TRANSITIONS: Mapping[TicketStatus, frozenset[TicketStatus]] = {
    "open": frozenset({"pending", "resolved"}),
    "pending": frozenset({"open", "resolved"}),
    "resolved": frozenset({"open", "closed"}),
    "closed": frozenset({"open"}),
}


def check_transition(before: TicketStatus, after: TicketStatus) -> None:
    """Check that a ticket may move from one state to another.

    Raises: RuleBroken("ticket.transition").
    """
    if after not in TRANSITIONS[before]:
        raise RuleBroken("ticket.transition", f"A ticket does not go from {before} to {after}.")


def check_ticket(command: OpenTicket) -> None:
    """Check what a ticket says.

    Raises: RuleBroken("ticket.text"): empty, or too long.
    """
    if not 1 <= len(command.title.strip()) <= MAX_TITLE:
        raise RuleBroken("ticket.text", f"A ticket has a title of up to {MAX_TITLE} characters.")
    check_text(command.description)


def check_text(text: str) -> None:
    """Check a description or a note.

    Raises: RuleBroken("ticket.text"): empty, or too long.
    """
    if not 1 <= len(text.strip()) <= MAX_TEXT:
        raise RuleBroken("ticket.text", f"The text has between 1 and {MAX_TEXT} characters.")
