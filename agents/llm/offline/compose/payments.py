"""Words about what a student owes and pays."""

from collections.abc import Mapping
from typing import Any

from agents.llm.offline.compose.refusals import refusal_of, refused
from agents.llm.offline.enrolling import owed
from agents.llm.offline.need import Need
from agents.llm.offline.reading import rows_of
from agents.strings import say

Item = Mapping[str, Any]

_LISTED = 5


def answer_my_payments(need: Need) -> str:
    """Say what is owed and when, and what came in."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_payments"):
        return refusal
    fees = owed(need)
    if not fees:
        return say(locale, "payments.settled") + _last_payment(need)
    return "\n".join([say(locale, "payments.owed"), *(_fee(f, need) for f in fees[:_LISTED])])


def _fee(fee: Item, need: Need) -> str:
    due = next((p for p in fee["instalments"] if p["outstanding"]["amount_minor"] > 0), None)
    key = "payments.overdue" if due and due["status"] == "overdue" else "payments.fee"
    return say(
        need.turn.locale,
        key if due else "payments.plain",
        title=fee["course_title"] or fee["number"],
        outstanding=fee["outstanding"]["text"],
        due=due["outstanding"]["text"] if due else "",
        date=due["due_on_text"] if due else "",
    )


def _last_payment(need: Need) -> str:
    made = rows_of(need.data("my_payments"), "payments")
    done = [p for p in made if p["status"] == "completed"]
    if not done:
        return ""
    said = {"amount": done[0]["amount"]["text"], "date": done[0]["begun_on_text"]}
    return " " + say(need.turn.locale, "payments.last", **said)


def answer_pay(need: Need) -> str:
    """Give the address at which the next instalment is paid."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_payments"):
        return refusal
    result = need.result("payment_link")
    if result is None:
        return answer_my_payments(need)
    if not result.ok:
        return refused(need, result)
    url, amount = result.data["payment_url"], result.data["amount"]
    if not url or not amount:
        return say(locale, "payments.office")
    return say(locale, "payments.link", amount=amount["text"], url=url)
