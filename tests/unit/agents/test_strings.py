"""What the agents' texts ask of whoever shows them."""

import re

import pytest

from agents.strings import STRINGS


@pytest.mark.parametrize("locale", ["es", "en"])
def test_only_known_marks_are_asked_for(locale: str) -> None:
    texts = STRINGS.of(locale).values()  # type: ignore[arg-type]
    marks = {m for t in texts for m in re.findall(r"\[\[(!.*?)\]\]", t)}
    tasks = {m.split(":")[1] for m in marks if m.startswith("!task:")}
    assert {m for m in marks if not m.startswith("!task:")} == {"!handoff_offer", "!verify"}
    assert tasks == {
        *("open_ticket", "pick_course", "enrol", "pick_group", "join_waitlist", "accept_offer"),
        *("withdraw", "transfer", "pick_new_group", "pick_slot", "pick_new_slot", "recommend"),
    }
