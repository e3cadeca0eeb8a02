"""How long a server process has computed: what a busy machine disturbs less than a clock."""

from pathlib import Path

_NS_PER_MS = 1_000_000


def process_ms(pid: int) -> float | None:
    """Return the milliseconds that a process of this machine has computed; None if untold."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / _NS_PER_MS
    except (OSError, ValueError, IndexError):
        return None
