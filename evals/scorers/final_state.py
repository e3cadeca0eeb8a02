"""Scores how the conversation and what hangs on it stand in the end."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed
from evals.scorers.confirmations import standing


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the state as the database has it."""
    stands = {
        "conversation": seen.conversation,
        "confirmation": standing(seen),
        "ticket_category": seen.tickets[-1] if seen.tickets else "none",
    }
    wanted = expect.final_state.model_dump(exclude_none=True) if expect.final_state else {}
    wrong = [f"{k} is {stands[k]}, not {v}" for k, v in wanted.items() if stands[k] != v]
    if wrong:
        return failed("; ".join(wrong))
    return passed("; ".join(f"{k} is {stands[k]}" for k in wanted))
