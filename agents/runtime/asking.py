"""How a student is asked for consent."""

from collections.abc import Mapping

from agents.runtime.brief import Locale
from agents.strings import say


def ask_for_consent(asked: Mapping[str, object], locale: Locale) -> str:
    """Return the question that stands above the buttons.

    Args:
        asked: what the graph was interrupted with; `summary` says what acceptance does.
    """
    return say(locale, "confirmation.ask", summary=asked["summary"])
