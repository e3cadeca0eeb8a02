"""Every address that staff can read, made from the API's own description.

A route that is added later is visited without anybody having to think of it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

Samples = Mapping[str, str]

#: Neither lists nor details: streams, pages for payers, whole files, sums over all the books, and
#: what belongs to a visitor's own chat.
APART = frozenset(
    {
        "/v1/chat/session",
        "/v1/chat/courses",
        "/v1/chat/messages",
        "/v1/chat/events",
        "/v1/exports/{kind}",
        "/v1/admin/audit/export",
        "/v1/payments/reconciliation",
        "/v1/payments/ledger",
        "/v1/admin/sandbox-payments/behaviour",
    }
)
#: Of a conversation, `since` is the cursor of its messages.
_PAGING = frozenset({"cursor", "limit", "advisor.since"})


def tour(description: Mapping[str, Any], samples: Samples) -> list[str]:
    """Return an address of each list and detail, and one more for each filter and sort.

    Args:
        description: OpenAPI.
        samples: values of parameters, by name, or by the noun of the address and name.
    Raises: KeyError: a required parameter, or a filter that is no choice, has no sample.
    """
    return [
        address
        for path, operations in description["paths"].items()
        if path.startswith("/v1/") and path not in APART and "get" in operations
        for address in _addresses(path, operations["get"].get("parameters", []), samples)
    ]


def _addresses(path: str, parameters: list[Mapping[str, Any]], samples: Samples) -> Iterator[str]:
    noun = path.split("/")[2]
    filled = re.sub(r"\{(\w+)\}", lambda found: _sample(samples, noun, found[1]), path)
    asked = [p for p in parameters if p["in"] == "query"]
    needed = {p["name"]: _sample(samples, noun, p["name"]) for p in asked if p.get("required")}
    yield f"{filled}?{urlencode(needed)}" if needed else filled
    for parameter in asked:
        name = parameter["name"]
        if name in needed or {name, f"{noun}.{name}"} & _PAGING:
            continue
        for value in _choices(parameter["schema"]) or [_sample(samples, noun, name)]:
            yield f"{filled}?{urlencode({**needed, name: value})}"


def _sample(samples: Samples, noun: str, name: str) -> str:
    return samples[f"{noun}.{name}"] if f"{noun}.{name}" in samples else samples[name]


def _choices(schema: Mapping[str, Any]) -> list[str]:
    """Return the values of a choice; none when it is not one."""
    choices: list[str] = []
    for kind in schema.get("anyOf", [schema]):
        choices += map(str, kind.get("enum", []))
        if kind.get("type") == "boolean":
            choices += ["true", "false"]
    return choices
