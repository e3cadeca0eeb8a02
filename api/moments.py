"""The days and moments that requests may name; beyond them no arithmetic on dates is safe."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2999, 12, 31)
_FIRST = datetime(1800, 1, 1, tzinfo=UTC)
_END = datetime(3000, 1, 1, tzinfo=UTC)

#: A day of the calendar; no record is older, nothing is planned for later.
Day = Annotated[
    date,
    Field(
        ge=FIRST_DAY,
        le=LAST_DAY,
        json_schema_extra={
            "formatMinimum": FIRST_DAY.isoformat(),
            "formatMaximum": LAST_DAY.isoformat(),
        },
    ),
]
#: An instant with its offset, between the same bounds.
Moment = Annotated[
    AwareDatetime,
    Field(
        ge=_FIRST,
        lt=_END,
        json_schema_extra={
            "formatMinimum": _FIRST.isoformat(),
            "formatExclusiveMaximum": _END.isoformat(),
        },
    ),
]
