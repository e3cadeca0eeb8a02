"""Words for what a tool did not do, or does not show."""

from collections.abc import Mapping

from agents.llm.offline.need import Need
from agents.llm.offline.reading import Result, rows_of
from agents.strings import say

#: Refusals that have words of their own; everything else is a failure of ours.
_WHY_NOT: Mapping[str, str] = {
    "cohort.full": "enrol.full",
    "cohort.waitlist": "enrol.full",
    "cohort.closed": "enrol.closed",
    "enrolment.exists": "enrol.exists",
    "enrolment.prerequisites": "enrol.prerequisites",
    "enrolment.guardian": "enrol.guardian",
    "enrolment.unknown": "withdraw.none",
    "enrolment.ended": "withdraw.ended",
    "waitlist.held": "waitlist.held",
    "confirmation.rejected": "enrol.declined",
    "confirmation.expired": "enrol.expired",
}


def refused(need: Need, result: Result) -> str:
    """Say why a wish was not carried out."""
    locale, detail = need.turn.locale, need.data("get_course")
    key = _WHY_NOT.get(result.code)
    if result.code.startswith("identity."):
        return say(locale, "talk.verify")
    if key is None:
        return say(locale, "enrol.failed")
    titles = ", ".join(str(p["title"]) for p in rows_of(detail, "prerequisites"))
    return say(locale, key, title=detail.get("title", ""), titles=titles)


def refusal_of(need: Need, tool: str, unavailable: str = "profile.unavailable") -> str:
    """Return what to say instead of own affairs: verify first, or try again.

    Returns: nothing where the tool did its work.
    """
    locale, result = need.turn.locale, need.result(tool)
    if result is not None and result.ok:
        return ""
    if result is not None and result.code == "confirmation.rejected":
        return say(locale, "enrol.declined")
    if result is None or result.code.startswith("identity."):
        return say(locale, "talk.verify")
    return say(locale, unavailable)
