"""What happened leads to whoever waits for it."""

from __future__ import annotations

import pytest

from api.handlers import HANDLERS, NAMES


def test_handlers_have_names_of_their_own() -> None:
    assert len({handler.name for handler in HANDLERS}) == len(HANDLERS)


@pytest.mark.parametrize("event", ["InvoicePaid", "InvoiceCancelled"])
def test_certificates_wait_for_payments(event: str) -> None:
    assert "certify" in NAMES[event]
