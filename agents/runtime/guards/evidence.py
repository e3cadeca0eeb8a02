"""What a reply may state: the facts of this run's tool results, the student's words, the clock."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from agents.runtime.brief import INSTRUCTIONS, Brief
from agents.runtime.guards.facts import Fact, facts_in, unit_of
from agents.runtime.guards.instructions import Runs, runs_of
from agents.runtime.guards.numbers import plain
from tools.results import NeedsConfirmation, Ok, Refused, ToolResult
from tools.wording import major_units

_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts that a sentence can be traced to.

    Args:
        found: from tool results and the clock.
        said: from the student's own messages; never good for contact data.
        private: by which the agent's instructions are known again; never good to say.
    """

    found: frozenset[Fact]
    said: frozenset[Fact] = frozenset()
    private: Runs = frozenset()


def evidence_of(
    results: Iterable[tuple[str, ToolResult]], messages: Sequence[AnyMessage], brief: Brief
) -> Evidence:
    """Gather what this run may state.

    Args:
        results: tool name and result, as the turn collected them.
        messages: the window; student messages and this run's tool messages count, earlier replies
            of the agent do not.
    """
    zone = ZoneInfo(brief.time_zone)
    found = set(facts_in(_local(brief.now, zone)))
    told = list(_tool_messages(messages))
    for message in told:
        found.update(_facts_of_json(_parsed(message), zone))
    # The messages hold the same results again, and those from before an interrupt, too.
    named = {message.name for message in told}
    for tool, result in results:
        if tool not in named:
            found.update(_facts_of_result(result, zone))
    if brief.pending is not None:
        found.update(facts_in(brief.pending.summary))
        found.update(facts_in(_local(brief.pending.expires_at, zone)))
    said = {f for m in messages if isinstance(m, HumanMessage) for f in facts_in(str(m.content))}
    return Evidence(frozenset(found), frozenset(said), _private(messages))


def _private(messages: Sequence[AnyMessage]) -> Runs:
    """Return what the instructions say, without the situation that they come with."""
    told = (m.additional_kwargs.get(INSTRUCTIONS, "") for m in messages if m.type == "system")
    return frozenset[tuple[str, ...]]().union(*(runs_of(str(text)) for text in told))


def _tool_messages(messages: Sequence[AnyMessage]) -> Iterator[ToolMessage]:
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return
        if isinstance(message, ToolMessage):
            yield message


def _parsed(message: ToolMessage) -> object:
    try:
        return json.loads(str(message.content))
    except ValueError:
        return str(message.content)


def _facts_of_result(result: ToolResult, zone: ZoneInfo) -> Iterator[Fact]:
    if isinstance(result, Ok):
        yield from _facts_of_json(result.data, zone)
        yield from (fact for source in result.sources for fact in facts_in(source.title))
    elif isinstance(result, NeedsConfirmation):
        yield from facts_in(result.summary)
        yield from facts_in(_local(result.expires_at.isoformat(), zone))
        if result.price_minor is not None:
            yield _amount(result.price_minor, result.currency)
    elif isinstance(result, Refused):
        yield from facts_in(result.message)


def _facts_of_json(
    value: object, zone: ZoneInfo, key: str = "", currency: str = ""
) -> Iterator[Fact]:
    if isinstance(value, Mapping):
        currency = str(value.get("currency") or currency)
        for name, item in value.items():
            yield from _facts_of_json(item, zone, str(name), currency)
    elif isinstance(value, str):
        yield from facts_in(_local(value, zone))
    elif isinstance(value, Sequence):
        for item in value:
            yield from _facts_of_json(item, zone, key, currency)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _facts_of_number(Decimal(str(value)), key, currency)


def _facts_of_number(value: Decimal, key: str, currency: str) -> Iterator[Fact]:
    parts = key.casefold().split("_")
    if parts[-1] == "minor":
        yield _amount(int(value), currency)
        return
    values = frozenset({plain(value)})
    units = [unit for part in parts if (unit := unit_of(part))]
    if "percent" in parts:
        yield Fact("percent", values)
    elif units:
        yield from (Fact("quantity", values, unit) for unit in units)
    else:
        yield Fact("number", values)


def _amount(minor: int, currency: str | None) -> Fact:
    unit = currency or ""
    return Fact("amount", frozenset({plain(major_units(minor, unit))}), unit)


def _local(text: str, zone: ZoneInfo) -> str:
    """Add to each instant what a clock in the institution's time zone shows then."""

    def shown(found: re.Match[str]) -> str:
        instant = datetime.fromisoformat(found.group())
        local = instant.astimezone(zone)
        return f"{instant:%Y-%m-%d %H:%M} {local:%Y-%m-%d %H:%M}"

    return _DATETIME.sub(shown, text)


def weekday(iso: str) -> str:
    """Return a full date's weekday as `0` (Monday) to `6`."""
    return str(date.fromisoformat(iso).weekday())
