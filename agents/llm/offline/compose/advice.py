"""Words of advice: what is suggested, why, and what speaks against it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agents.llm.offline.advice import asks_first, dismissed_course
from agents.llm.offline.compose.courses import listed
from agents.llm.offline.need import Need
from agents.llm.offline.reading import rows_of
from agents.runtime.brief import Locale
from agents.strings import say

Item = Mapping[str, Any]

_REASONS = 2


def answer_recommend(need: Need) -> str:
    """Ask what somebody likes, or suggest courses and ask for what would narrow them down."""
    locale, found = need.turn.locale, need.data("recommend_courses")
    if not found:
        return say(locale, "advice.ask_goal" if asks_first(need) else "course.unavailable")
    if _knows_nothing(need, found):
        return say(locale, "advice.ask_goal")
    return "\n".join([_opening(found, locale), *_suggestions(found, locale), _closing(need, found)])


def answer_why_not(need: Need) -> str:
    """Name what speaks against a course, or say that nothing does."""
    locale, found = need.turn.locale, need.data("explain_course")
    if not found:
        made = need.result("explain_course")
        return say(locale, "course.unavailable" if made else "course.which")
    course: Item = found["course"]  # type: ignore[assignment]
    against = _against(course, locale)
    key = "advice.why_not" if against else "advice.nothing_against"
    facts = {"title": course["title"], "ref": course["ref"], "against": "; ".join(against)}
    return say(locale, key, **facts)


def answer_dismiss(need: Need) -> str:
    """Say that a course is not suggested any more, and suggest others."""
    locale, done = need.turn.locale, need.result("dismiss_course")
    if done is None or not done.ok:
        which = done is None and not dismissed_course(need)
        return say(locale, "advice.dismiss_which" if which else "course.unavailable")
    said = say(locale, "advice.dismissed", title=done.data["title"])
    found = need.data("recommend_courses")
    if not found:
        return said
    closing = say(locale, "course.more")
    return "\n".join([said, *_suggestions(found, locale), closing])


def _knows_nothing(need: Need, found: Item) -> bool:
    """Return whether what is popular is all there is to go by, and nobody was asked yet."""
    arguments = need.turn.remembered.advice
    unsaid = "goal" in found["unsaid"] and found["basis"] == "popularity"
    return unsaid and not arguments and need.intent.field != "asked"


def _opening(found: Item, locale: Locale) -> str:
    if not found["suggestions"]:
        return say(locale, "advice.none")
    return say(locale, "advice.others" if found["goal_understood"] is False else "advice.found")


def _suggestions(found: Item, locale: Locale) -> Iterator[str]:
    for course in rows_of(found, "suggestions"):
        group = course["group"]
        key = "advice.line" if group else "advice.line_closed"
        facts = {"title": course["title"], "price": course["price"]["text"], "ref": course["ref"]}
        if group:
            facts |= {"date": group["starts_on_text"], "schedule": group["schedule"]}
        reasons = " ".join(_reasons(course, locale))
        against = _against(course, locale)
        but = say(locale, "advice.but", against="; ".join(against)) if against else ""
        yield say(locale, key, **facts, reasons=" ".join(filter(None, [reasons, but])))


def _reasons(course: Item, locale: Locale) -> Iterator[str]:
    # That many take it is worth saying where there is nothing better to say.
    telling = [r for r in course["reasons"] if r["kind"] != "popular"] or course["reasons"]
    for reason in telling[:_REASONS]:
        title = reason["course"]["title"] if reason["course"] else ""
        yield say(locale, f"advice.for_{reason['kind']}", title=title)


def _against(course: Item, locale: Locale) -> Sequence[str]:
    return [
        say(
            locale,
            f"advice.against_{obstacle['code']}",
            titles=listed([str(c["title"]) for c in obstacle["courses"]], locale),
            price=obstacle["price"]["text"] if obstacle["price"] else "",
        )
        for obstacle in course["against"]
    ]


def _closing(need: Need, found: Item) -> str:
    """Ask once for when and how much, where that is not known; then offer to tell more."""
    unsaid = [name for name in ("time", "budget") if name in found["unsaid"]]
    if need.turn.remembered.advice or not unsaid or not found["suggestions"]:
        return say(need.turn.locale, "course.more")
    return say(need.turn.locale, f"advice.ask_{'_'.join(unsaid)}")


ADVICE: Mapping[str, Callable[[Need], str]] = {
    "recommend": answer_recommend,
    "why_not": answer_why_not,
    "dismiss": answer_dismiss,
}
