"""The logins of the demo, to be shown to whoever starts it."""

from dataclasses import dataclass
from pathlib import Path

import yaml

STAFF = Path(__file__).parents[1] / "demo" / "institution" / "staff.yaml"


@dataclass(frozen=True, slots=True)
class Login:
    """A login of the demo."""

    role: str
    email: str
    password: str


def demo_logins() -> list[Login]:
    """The demo's members of staff, in the order of their file."""
    people = yaml.safe_load(STAFF.read_text(encoding="utf-8"))
    return [Login(one["role"], one["email"], one["demo_password"]) for one in people]
