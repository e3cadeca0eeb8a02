"""The tools that score leads and say where a score comes from."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from crm.actor import Role
from crm.pipeline.models import LeadId
from crm.pipeline.scoring.features import default_features
from crm.pipeline.scoring.service import ScoreReading
from crm.pipeline.scoring.wording import cell_text, level_of
from tools.arguments import ToolInput
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.spec import Call, Effect, ToolSpec, description_of


class ScoreLeads(ToolInput):
    """Which leads."""

    whole: bool = Field(description="All open leads, not just those something happened with.")


class LeadsWereScored(ToolOutput):
    """What the batch came to.

    Args:
        digest: of every lead's score, SHA-256 in hexadecimal.
    """

    model: str
    leads: int
    changed: int
    digest: str


async def score_leads(call: Call[ScoreLeads]) -> LeadsWereScored:
    """Score leads anew: all that are open, or a batch of those that something happened with.

    For services only. A score is a contact priority; only changed ones are written.
    """
    done = await call.services.scoring.score(
        call.uow, whole=call.args.whole, actor=call.context.actor
    )
    if done is None:
        return LeadsWereScored(model="", leads=0, changed=0, digest="")
    return LeadsWereScored(
        model=done.model, leads=done.leads, changed=done.changed, digest=done.digest.hex()
    )


class LeadScore(ToolInput):
    """Whose score."""

    lead_id: UUID


class ReasonOut(ToolOutput):
    """What one fact adds to a score, in points; below zero it takes away.

    Args:
        level: the code of what was found, of a category.
    """

    feature: str
    title: str
    found: str
    level: str | None
    points: int


class AdviceOut(ToolOutput):
    """What the person could do, and the score that they would have then."""

    feature: str
    text: str
    score: int


class ScoreOut(ToolOutput):
    """A score with where it comes from: `base` and the reasons' points add up to it exactly."""

    lead_id: UUID
    language: Locale
    score: int
    model: str
    scored_at: datetime
    base: int
    reasons: list[ReasonOut]
    advice: AdviceOut | None

    def recorded(self) -> dict[str, object]:
        """Return which score was seen."""
        return {"lead_id": str(self.lead_id), "score": self.score, "model": self.model}


async def lead_score(call: Call[LeadScore]) -> ScoreOut:
    """Tell a lead's score (0 to 100, a contact priority), each reason's points, and one advice.

    For staff and services. The base and the points of the reasons add up to the score.
    """
    reading = await call.services.scoring.read_score(
        LeadId(call.args.lead_id), actor=call.context.actor
    )
    return score_out(reading, call.context.locale)


def score_out(reading: ScoreReading, locale: Locale) -> ScoreOut:
    """Return a score in words; the strongest reason comes first."""
    features, told = default_features(), reading.explanation
    scales = {scale.feature: scale for scale in reading.model.scales}
    reasons = [
        ReasonOut(
            feature=part.feature,
            title=features[part.feature].title[locale],
            found=cell_text(scales[part.feature], part.cell, features, locale),
            level=level_of(scales[part.feature], part.cell),
            points=part.points,
        )
        for part in sorted(told.contributions, key=lambda part: -abs(part.points))
    ]
    advice = None
    if told.advice and (act := features[told.advice.feature].act):
        advice = AdviceOut(
            feature=told.advice.feature, text=act.text[locale], score=told.advice.score
        )
    return ScoreOut(
        lead_id=reading.lead_id,
        language=reading.language,
        score=told.score,
        model=reading.model.name,
        scored_at=reading.scored_at,
        base=told.base,
        reasons=reasons,
        advice=advice,
    )


SCORE_LEADS = ToolSpec(
    name="score_leads",
    version=1,
    description=description_of(score_leads),
    input=ScoreLeads,
    output=LeadsWereScored,
    handler=score_leads,
    effect=Effect.WRITE,
    students=False,
    roles=frozenset({Role.SERVICE}),
    timeout_s=60.0,
    examples=({"whole": True},),
)
LEAD_SCORE = ToolSpec(
    name="lead_score",
    version=1,
    description=description_of(lead_score),
    input=LeadScore,
    output=ScoreOut,
    handler=lead_score,
    students=False,
    roles=frozenset(Role),
    personal=True,
    examples=({"lead_id": "0191f3a2-7c4e-7a10-9b1d-2f60c1e5a001"},),
)
