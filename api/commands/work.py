"""Runs what a command does with the services of this deployment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings

if TYPE_CHECKING:
    from api.bootstrap import Services

Result = TypeVar("Result")


def with_services(work: "Callable[[Services], Awaitable[Result]]") -> Result:
    """Connect, do the work, and let go again.

    Raises: Unavailable: the database does not answer, or settings are missing.
    """
    from api.bootstrap import open_services  # a command that only prints help does without

    async def run(settings: Settings) -> Result:
        async with open_services(settings) as services:
            return await work(services)

    with complete(Settings(), redis=False) as settings:
        require_answer(settings.require_database_url())
        return asyncio.run(run(settings))
