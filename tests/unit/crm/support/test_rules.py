"""The states of a ticket and what it may say."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.ids import INSTITUTION
from crm.support import rules
from crm.support.commands import OpenTicket
from crm.support.models import TICKET_STATUSES, TicketStatus

LEGAL = {
    ("open", "pending"),
    ("open", "resolved"),
    ("pending", "open"),
    ("pending", "resolved"),
    ("resolved", "open"),
    ("resolved", "closed"),
    ("closed", "open"),
}


@pytest.mark.parametrize(("before", "after"), list(product(TICKET_STATUSES, TICKET_STATUSES)))
def test_only_legal_moves_are_allowed(before: TicketStatus, after: TicketStatus) -> None:
    if (before, after) in LEGAL:
        rules.check_transition(before, after)
    else:
        with pytest.raises(RuleBroken, match=r"ticket\.transition"):
            rules.check_transition(before, after)


@given(st.lists(st.sampled_from(TICKET_STATUSES), max_size=30))
def test_ticket_is_closed_only_after_it_was_resolved(wanted: list[TicketStatus]) -> None:
    status: TicketStatus = "open"
    for after in wanted:
        before = status
        try:
            rules.check_transition(before, after)
        except RuleBroken:
            continue
        status = after
        assert status != "closed" or before == "resolved"


def _ticket(title: str, description: str) -> OpenTicket:
    return OpenTicket(
        subject_id=INSTITUTION, category="other", title=title, description=description
    )


@given(title=st.text(max_size=300), description=st.text(max_size=50))
def test_ticket_has_a_title_and_a_description(title: str, description: str) -> None:
    fits = 1 <= len(title.strip()) <= rules.MAX_TITLE and bool(description.strip())
    if fits:
        rules.check_ticket(_ticket(title, description))
    else:
        with pytest.raises(RuleBroken, match=r"ticket\.text"):
            rules.check_ticket(_ticket(title, description))


def test_endless_text_is_refused() -> None:
    with pytest.raises(RuleBroken, match=r"ticket\.text"):
        rules.check_text("a" * (rules.MAX_TEXT + 1))
