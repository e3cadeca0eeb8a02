"""Which property test proves which invariant; a proof that is renamed or removed is missed here."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CRM, TOOLS = "tests/integration/crm", "tests/integration/tools"
UNIT = "tests/unit/crm"
SEATS = f"{CRM}/courses/seats/test_seats_any_order.py::test_seats_hold_good_whatever_happens"
EFFECTS = f"{TOOLS}/test_effect_properties.py"


@dataclass(frozen=True)
class Invariant:
    """What must hold, and the tests that try to break it."""

    says: str
    proofs: tuple[str, ...]


INVARIANTS = {
    1: Invariant("Confirmed and live holds never exceed a cohort's capacity", (SEATS,)),
    2: Invariant("A waitlist's order is kept, with one offer per freed seat", (SEATS,)),
    3: Invariant(
        "Debits equal credits; balances are derived",
        (
            f"{CRM}/payments/test_payment_properties.py::test_books_hold_whatever_happens",
            f"{UNIT}/payments/test_payment_fold.py"
            "::test_what_facts_move_sums_to_the_same_balances_in_any_order",
        ),
    ),
    4: Invariant(
        "Instalments sum to the net fee exactly",
        (f"{UNIT}/payments/test_instalments.py::test_instalments_sum_to_the_fee",),
    ),
    5: Invariant(
        "What is paid is never below zero; no more goes back than came",
        (
            f"{UNIT}/payments/test_payment_fold.py"
            "::test_no_more_goes_than_came_after_any_part_of_the_story",
            f"{CRM}/payments/test_payment_properties.py::test_books_hold_whatever_happens",
        ),
    ),
    6: Invariant(
        "One key and the same arguments have one result; other arguments are an error",
        (
            f"{CRM}/journal/test_journal_idempotency.py"
            "::test_key_means_its_first_call_in_any_order_of_calls",
            f"{EFFECTS}::test_every_effect_has_one_record_and_every_attempt_its_own",
        ),
    ),
    7: Invariant(
        "An enrolment ends enrolled or compensated, wherever it breaks",
        (f"{CRM}/workflows/test_saga_any_order.py::test_enrolments_end_whole_whatever_happens",),
    ),
    8: Invariant(
        "Leads move legally; one active application a person, programme and term",
        (f"{CRM}/pipeline/test_funnel.py::test_funnel_holds_whatever_is_tried",),
    ),
    9: Invariant(
        "Prerequisites hold at enrolment; their graph is acyclic",
        (
            SEATS,
            f"{UNIT}/courses/test_rules.py"
            "::test_circle_is_refused_exactly_when_some_course_reaches_itself",
        ),
    ),
    10: Invariant(
        "Discounts stay below their caps, scholarships within their funds",
        (
            f"{UNIT}/courses/test_fee_rules.py"
            "::test_reductions_are_whole_capped_and_leave_nothing_negative",
            f"{CRM}/courses/fees/test_funds.py::test_fund_never_goes_below_zero_whatever_happens",
        ),
    ),
    11: Invariant(
        "No reminder for the paid, disputed, withdrawn, opted-out, or in quiet hours",
        (f"{CRM}/dunning/test_reminders.py::test_no_mixture_of_obstacles_lets_a_reminder_through",),
    ),
    12: Invariant(
        "No message leaves without a basis that is valid at that moment",
        (
            f"{UNIT}/people/test_contact_rules.py::test_whatever_may_leave_has_a_basis_that_holds",
            f"{CRM}/outbound/test_contact_proof.py"
            "::test_whatever_happens_meanwhile_what_leaves_has_its_basis_at_that_moment",
        ),
    ),
    13: Invariant(
        "A merge is idempotent and conserves messages, payments and consents",
        (f"{CRM}/people/test_merging_any_order.py::test_nothing_is_lost_whoever_is_merged",),
    ),
    14: Invariant(
        "An agent may no more than its user; one student reads nothing of another",
        (
            "tests/unit/tools/test_policy.py::test_agent_may_do_what_its_person_may_and_no_more",
            f"{TOOLS}/test_nobody_reads_another.py"
            "::test_one_student_reads_and_changes_nothing_of_another",
        ),
    ),
    15: Invariant(
        "Every effect has one record, every attempt its own; a rollback removes both",
        (
            f"{EFFECTS}::test_every_effect_has_one_record_and_every_attempt_its_own",
            f"{EFFECTS}::test_a_consent_is_carried_out_once_or_not_at_all",
        ),
    ),
    16: Invariant(
        "A message's status only goes on; a reply's window follows from the inbound log alone",
        (
            f"{CRM}/outbound/test_message_properties.py"
            "::test_status_only_goes_on_and_nothing_leaves_once_it_is_closed",
            f"{CRM}/outbound/test_message_properties.py"
            "::test_reply_is_open_exactly_after_what_the_person_wrote",
        ),
    ),
    17: Invariant(
        "Denied features change no score; contributions sum to it",
        (
            f"{CRM}/pipeline/test_scores_are_blind.py"
            "::test_score_does_not_change_with_what_must_not_count",
            f"{UNIT}/pipeline/test_scoring.py"
            "::test_contributions_of_the_scorecard_sum_to_the_score",
            f"{UNIT}/pipeline/test_scoring.py"
            "::test_contributions_of_a_trained_model_sum_to_the_score",
        ),
    ),
    18: Invariant(
        "SLA clocks count business hours only; a pause loses no time",
        (
            f"{UNIT}/pipeline/test_sla_clock.py"
            "::test_what_is_spent_is_the_business_time_while_running",
            f"{UNIT}/test_business_hours.py::test_what_is_added_is_what_passes",
        ),
    ),
}


def test_every_invariant_has_a_proof() -> None:
    assert INVARIANTS.keys() == set(range(1, 19))
    assert [number for number, one in INVARIANTS.items() if not one.proofs] == []


@pytest.mark.parametrize("proof", sorted({p for one in INVARIANTS.values() for p in one.proofs}))
def test_proof_is_there_and_draws_its_cases(proof: str) -> None:
    path, _, name = proof.partition("::")
    module = ast.parse((ROOT / path).read_text("utf-8"))
    tests = {
        node.name: node
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in tests
    assert draws(name, tests), "an example is no proof"


def draws(name: str, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> bool:
    """Return whether a function, or one of its module that it calls, has hypothesis choose."""
    named = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
    attributes = {n.attr for n in ast.walk(functions[name]) if isinstance(n, ast.Attribute)}
    if "given" in named or "TestCase" in attributes:
        return True
    return any(draws(other, functions) for other in named & functions.keys() - {name})
