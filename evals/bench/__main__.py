"""`python -m evals.bench [PART…] [--json PATH]`."""

import typer

from evals.bench.cli import bench

if __name__ == "__main__":
    typer.run(bench)
