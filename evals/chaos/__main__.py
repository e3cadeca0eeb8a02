"""`python -m evals.chaos`: kills everything while people enrol, and judges what is left."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from evals.chaos.experiment import Chaos
from evals.chaos.wording import say, say_counts, say_findings, say_table


def main() -> int:
    """Run the experiment; the exit code says whether all ended whole."""
    options = argparse.ArgumentParser(prog="make chaos")
    options.add_argument("--sagas", type=int, default=1_000)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="orienta-chaos-"))
    home.chmod(0o711)  # an embedded server that root starts runs as somebody else
    began = time.monotonic()
    try:
        chaos = Chaos(home, sagas=asked.sagas, kills=asked.kills, seed=asked.seed)
        found = asyncio.run(chaos.run())
    finally:
        shutil.rmtree(home, ignore_errors=True)
    say_table(found.ends)
    say_counts(found.counts)
    say_counts({f"kills of {name}": number for name, number in chaos.killed.items()})
    say_findings(found.wrong)
    say(f"{asked.sagas} sagas, {chaos.killed.total()} kills, {time.monotonic() - began:.0f} s")
    return 1 if any(found.wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
