"""Events carry ids and plain values, never anything that could hide personal data."""

import importlib
import pkgutil
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

import crm
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SomethingHappened(DomainEvent):
    subject: object


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (UUID(int=1), str(UUID(int=1))),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        ("text", "text"),
        (7, 7),
        (True, True),
        (None, None),
    ],
)
def test_payload_is_plain(value: object, plain: object) -> None:
    event = SomethingHappened(subject=value)

    assert event.name == "SomethingHappened"
    assert event.payload() == {"subject": plain}


@pytest.mark.parametrize("value", [{"name": "Ana"}, ["Ana"], 1.5, object()])
def test_anything_richer_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="ids and plain values"):
        SomethingHappened(subject=value).payload()


def test_no_event_of_the_domain_names_personal_data() -> None:
    for module in pkgutil.walk_packages(crm.__path__, "crm."):
        importlib.import_module(module.name)
    personal = {"email", "phone", "full_name", "address", "body", "text", "birth_date"}

    ours = [e for e in DomainEvent.__subclasses__() if e.__module__.startswith("crm.")]

    assert len(ours) > 5
    for event in ours:
        assert personal.isdisjoint(event.__dataclass_fields__), event
