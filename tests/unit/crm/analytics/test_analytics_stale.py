"""Which event makes which number stale."""

import importlib
import pkgutil
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import crm
from crm.analytics.models import MODELS, MODELS_OF, Stale, stale_by
from crm.ids import new_id
from crm.journal.deliveries.models import StoredEvent
from crm.journal.events import DomainEvent

LIMA = ZoneInfo("America/Lima")
#: In Lima it is still the last evening of October.
NOW = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def _event(name: str, **payload: object) -> StoredEvent:
    return StoredEvent(new_id(), name, payload, NOW)


def test_money_is_counted_in_the_institutions_month() -> None:
    stale = stale_by(_event("PaymentCompleted"), LIMA)
    assert set(stale) == {Stale("revenue", "2026-10-01"), Stale("receivables")}


def test_answers_are_counted_on_the_institutions_day() -> None:
    assert stale_by(_event("HandoffTaken"), LIMA) == (Stale("responses", "2026-10-31"),)


def test_transfer_changes_two_cohorts() -> None:
    stale = stale_by(_event("EnrolmentTransferred", from_cohort_id="a", cohort_id="b"), LIMA)
    assert set(stale) == {Stale("cohorts", "a"), Stale("cohorts", "b")}


def test_other_events_change_no_number() -> None:
    assert stale_by(_event("StaffLoggedIn"), LIMA) == ()


@pytest.mark.parametrize("name", sorted(MODELS_OF))
def test_every_event_that_counts_is_one_of_the_domain(name: str) -> None:
    for module in pkgutil.walk_packages(crm.__path__, "crm."):
        importlib.import_module(module.name)
    assert name in {kind.__name__ for kind in _kinds(DomainEvent)}


def test_every_model_is_made_stale_by_something() -> None:
    assert {model for models in MODELS_OF.values() for model in models} == set(MODELS)


def _kinds(kind: type[DomainEvent]) -> set[type[DomainEvent]]:
    return {k for sub in kind.__subclasses__() for k in {sub, *_kinds(sub)}}
