"""`orienta demo-data`: made-up students with conversations and tickets."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from api.commands.steps import Step, Steps
from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings


def demo_data(
    students: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many students.")] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same students.")] = 7,
) -> None:
    """Add made-up students with their conversations and tickets to the database."""
    with complete(Settings()) as settings, Steps(Console()).step("Students") as step:
        require_answer(settings.require_database_url())
        step.found(asyncio.run(_generate(settings, students, seed, step)))


async def _generate(settings: Settings, students: int, seed: int, step: Step) -> str:
    from api.bootstrap import open_services
    from api.demo.generator import generate

    async with open_services(settings) as services:
        return str(await generate(services, students=students, seed=seed, report=step))
