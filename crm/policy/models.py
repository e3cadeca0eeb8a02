"""A version of the policy, and what two of them differ in: pure rules."""

from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff

from crm.errors import RuleBroken
from crm.ids import StaffId

MAX_TEXT = 20_000
MAX_NOTE = 300
#: The version that comes with the product; the first that somebody writes is 1.
SHIPPED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """The policy as it stood from a moment on.

    Args:
        note: why it was changed.
        staff_id: who changed it; None for what came with the product.
        created_at: None for what came with the product.
    """

    version: int
    text: str
    note: str
    staff_id: StaffId | None
    created_at: datetime | None


def check_text(text: str) -> str:
    """Return a text without blanks around it.

    Raises: RuleBroken("policy.text"): empty or too long.
    """
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= MAX_TEXT:
        raise RuleBroken("policy.text", f"The policy has 1 to {MAX_TEXT} characters.")
    return trimmed


def difference(before: PolicyVersion, after: PolicyVersion) -> tuple[str, ...]:
    """Return the lines of a unified diff; none where nothing differs."""
    return tuple(
        unified_diff(
            before.text.splitlines(),
            after.text.splitlines(),
            f"version {before.version}",
            f"version {after.version}",
            lineterm="",
        )
    )
