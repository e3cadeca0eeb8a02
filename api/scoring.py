"""When leads are scored: within seconds of what happens with them, and all of them every night."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crm.actor import SERVICE_ACTOR, AgentIdentity
from crm.errors import Unavailable
from crm.pipeline.scoring.training import can_train
from tools.context import ToolContext, ToolRequest
from tools.results import Ok

if TYPE_CHECKING:
    from api.bootstrap import Services

#: Who scores: no language model has a part in it.
SCORER = replace(SERVICE_ACTOR, agent=AgentIdentity("lead_scoring", "rules", "1"))
#: Local time; by then the day's events have been told everywhere.
NIGHT = time(3)
WEEK = timedelta(days=7)


async def score_due_leads(services: "Services") -> None:
    """Score leads that something happened with, in batches."""
    while await services.scoring.has_due():
        if not (await score_leads(services, whole=False))["leads"]:
            return  # another process has them


async def score_every_night(services: "Services") -> bool:
    """Score all open leads if that was not done since the last night began."""
    last = await services.scoring.last_whole()
    if last and last >= night_before(services.clock.now(), services.settings.time_zone):
        return False
    await score_leads(services, whole=True)
    return True


async def train_scores(services: "Services") -> bool:
    """Train once a week where training is installed; return whether there was enough to learn from.

    A model that wins serves from the next batch on.
    """
    last = await services.scoring.last_training()
    due = last is None or services.clock.now() - last >= WEEK
    return can_train() and due and await services.scoring.train() is not None


async def score_leads(services: "Services", *, whole: bool) -> dict[str, object]:
    """Score leads by one tool call, and so with one record of it.

    Raises: Unavailable("score.failed"): the next run tries again.
    """
    context = ToolContext(actor=SCORER, locale="en")
    request = ToolRequest(tool="score_leads", arguments={"whole": whole}, step=0, index=0)
    result = await services.runner.call(context, request)
    if not isinstance(result, Ok):
        raise Unavailable("score.failed", "Leads could not be scored.")
    return result.data


def night_before(now: datetime, time_zone: str) -> datetime:
    """Return the last moment that a night's work was due."""
    local = now.astimezone(ZoneInfo(time_zone))
    due = datetime.combine(local.date(), NIGHT, local.tzinfo)
    return due if due <= local else due - timedelta(days=1)
