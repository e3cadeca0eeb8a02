"""The `orienta eval` command: run suites, list them, run benchmarks."""

import asyncio
import logging
import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from api.settings import Settings
from evals.bench.cli import bench
from evals.report import print_progress, print_report, record_of, wide_console, write_json
from evals.results import ScenarioResult, SuiteResult
from evals.runner import run_suite
from evals.servers import throwaway
from evals.suite import MEASURED, Suite, list_suites, load_suite
from evals.world import open_world

app = typer.Typer(no_args_is_help=True, help="Measure the agents: suites and benchmarks.")
app.command("bench")(bench)

EVERYTHING = "all"
RETRIEVAL = "retrieval"
RECOMMENDATION = "recommendation"
SCORING = "scoring"
INTENTS = "intents"

#: Whether all is well, and the record of it.
Outcome = tuple[bool, dict[str, Any]]


class Provider(StrEnum):
    """Who speaks for the institution."""

    OFFLINE = "offline"
    OPENAI = "openai"


@app.command("list")
def list_() -> None:
    """List the suites with their number of scenarios."""
    console = wide_console()
    for name in list_suites():
        console.print(f"{name}  {len(load_suite(name).scenarios)} scenarios", highlight=False)
    for name in sorted(MEASURED):
        console.print(f"{name}  measured", highlight=False)


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="A suite's name, or `all`.")],
    provider: Annotated[Provider, typer.Option(help="Who speaks.")] = Provider.OFFLINE,
    json: Annotated[Path | None, typer.Option(help="Write every score and word there.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N scenarios.")] = None,
    only: Annotated[str | None, typer.Option(help="Only ids and families beginning so.")] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="`recommendation`: enrolments to be judged by as well.")
    ] = None,
) -> None:
    """Run a suite against servers of its own; exit code 1 unless everything passes or holds."""
    logging.basicConfig(level=logging.WARNING)
    # The composition root reads it, as it does in every process of a deployment.
    os.environ["ORIENTA_LLM_PROVIDER"] = provider.value
    console = wide_console()
    # All are read before the first one runs: a mistake in the last is known at once.
    suites = [_narrowed(s, limit, only) for s in _chosen(suite)]
    outcomes = [_run(console, s, provider.value) for s in suites]
    if suite in {EVERYTHING, RETRIEVAL}:
        outcomes.append(_measure_retrieval(console))
    if suite in {EVERYTHING, RECOMMENDATION}:
        outcomes.append(_measure_recommendation(console, held_out))
    if suite in {EVERYTHING, SCORING}:
        outcomes.append(_measure_scoring(console))
    if suite in {EVERYTHING, INTENTS}:
        outcomes.append(_measure_intents(console))
    if json is not None:
        write_json(json, [record for _, record in outcomes])
    raise typer.Exit(0 if all(good for good, _ in outcomes) else 1)


def _chosen(name: str) -> list[Suite]:
    if name in MEASURED:
        return []
    return [load_suite(n) for n in (list_suites() if name == EVERYTHING else [name])]


def _narrowed(suite: Suite, limit: int | None, only: str | None) -> Suite:
    kept = [s for s in suite.scenarios if only is None or s.id.startswith(only) or s.family == only]
    return Suite(suite.name, tuple(kept[:limit]))


def _run(console: Console, suite: Suite, provider: str) -> Outcome:
    with throwaway(Settings()) as settings:
        result = asyncio.run(_play(console, settings, suite, provider))
    print_report(console, result)
    return result.good, record_of(result)


def _measure_retrieval(console: Console) -> Outcome:
    from evals.retrieval.report import print_retrieval
    from evals.retrieval.report import record_of as figures_of
    from evals.retrieval.run import run_retrieval

    result = run_retrieval(lambda what: console.print(f"… {what}", highlight=False))
    print_retrieval(console, result)
    return result.good, figures_of(result)


def _measure_recommendation(console: Console, held_out: Path | None) -> Outcome:
    from evals.recommendation.report import measure_recommendation

    good, figures = measure_recommendation(console, held_out=held_out)
    return good, {"suite": RECOMMENDATION, "good": good, "figures": figures}


def _measure_scoring(console: Console) -> Outcome:
    from evals.scoring.report import measure_scoring

    good, figures = measure_scoring(console)
    return good, {"suite": SCORING, "good": good, "figures": figures}


def _measure_intents(console: Console) -> Outcome:
    from evals.intents.run import measure_intents
    from evals.retrieval.report import print_figures

    figures = measure_intents(lambda what: console.print(f"… {what}", highlight=False))
    print_figures(console, "Suite intents", figures)
    good = all(figure.holds is not False for figure in figures)
    return good, {"suite": INTENTS, "good": good, "figures": [asdict(f) for f in figures]}


async def _play(console: Console, settings: Settings, suite: Suite, provider: str) -> SuiteResult:
    done = 0

    def watch(result: ScenarioResult) -> None:
        nonlocal done
        done += 1
        print_progress(console, done, len(suite.scenarios), result)

    console.print(f"Loading the demo institution for {len(suite.scenarios)} scenarios …")
    async with open_world(settings, suite.scenarios, report=_silent) as world:
        return await run_suite(world, suite, provider=provider, watch=watch)


def _silent(what: str, done: int, total: int) -> None:
    """Loading takes seconds: one line says enough."""
