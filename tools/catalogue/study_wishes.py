"""What a student may wish of a course, as tools and routes take it."""

from datetime import time
from typing import Literal

from pydantic import Field

from crm.courses.advice.models import Wishes
from crm.courses.models import Locale, Modality, Weekday
from tools.arguments import ToolInput
from tools.course_advice import AdviceRequest

PartOfDay = Literal["morning", "afternoon", "evening"]

#: Within which hours classes lie for whoever can come in that part of the day.
_HOURS: dict[PartOfDay, tuple[time | None, time | None]] = {
    "morning": (None, time(14)),
    "afternoon": (time(12), time(20)),
    "evening": (time(18), None),
}


class StudyWishes(ToolInput):
    """What the student said they want; leave out what they did not say."""

    goal: str = Field("", max_length=300, description="What they like or want, in their words.")
    days: list[Weekday] = Field(
        default_factory=list, max_length=7, description="The only days on which they can come."
    )
    part_of_day: PartOfDay | None = Field(None, description="When they are free.")
    modality: Modality | None = None
    language: Locale | None = Field(None, description="In which they want to be taught.")
    budget_minor: int | None = Field(
        None, ge=0, le=10**12, description="The most they want to pay, in minor units (cents)."
    )
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="Of the budget, if they named it."
    )

    def request(self, locale: Locale) -> AdviceRequest:
        """Return the request for advice that this is."""
        earliest, latest = _HOURS[self.part_of_day] if self.part_of_day else (None, None)
        return AdviceRequest(
            locale=locale,
            goal=self.goal,
            wishes=Wishes(
                days=frozenset(self.days),
                earliest=earliest,
                latest=latest,
                modality=self.modality,
                language=self.language,
            ),
            budget_minor=self.budget_minor,
            currency=self.currency,
        )

    def unsaid(self) -> list[Literal["goal", "time", "budget"]]:
        """Return what would help to know and was not said."""
        said = {
            "goal": bool(self.goal.strip()),
            "time": bool(self.days or self.part_of_day or self.modality),
            "budget": self.budget_minor is not None,
        }
        return [name for name in ("goal", "time", "budget") if not said[name]]
