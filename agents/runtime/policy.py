"""What every agent is held to: the text that comes with the product."""

from pathlib import Path

#: It holds until the institution writes a policy of its own.
SHIPPED_POLICY = (Path(__file__).parents[1] / "policy.md").read_text(encoding="utf-8").strip()
