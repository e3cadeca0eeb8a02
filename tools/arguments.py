"""Turns what a model asked for into typed arguments, or says which field is wrong."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from crm.errors import RuleBroken
from crm.journal.audit import canonical

MAX_BYTES = 32_768
#: What a record of unreadable arguments keeps of them.
_RAW_CHARACTERS = 2_000
#: Limits that come from our own schema, never from the caller.
_LIMITS = ("expected", "le", "ge", "lt", "gt", "max_length", "min_length", "pattern")

#: An escaped NUL, as opposed to an escaped backslash before the text "u0000".
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

In = TypeVar("In", bound=BaseModel)


class ToolInput(BaseModel):
    """What every tool's input is made of: nothing beyond the named fields gets in."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )

    def recorded(self) -> dict[str, object]:
        """Return what the audit keeps of the arguments, sealed with the actor's key."""
        return self.model_dump(mode="json")


def parse_arguments(model: type[In], raw: object) -> In:
    """Validate arguments given as a mapping or as JSON text.

    Raises:
        RuleBroken("arguments.too_large"): more than 32 kB.
        RuleBroken("arguments.invalid"): no JSON object, or a field is wrong; the message names the
            field and the rule, never the value.
    """
    fields = _mapping(raw)
    try:
        return model.model_validate(dict(fields))
    except ValidationError as wrong:
        raise RuleBroken("arguments.invalid", _explain(wrong, model.model_fields)) from None


def recordable(raw: object) -> dict[str, object]:
    """Return unvalidated arguments as the audit can keep them."""
    try:
        return dict(_mapping(raw))
    except RuleBroken:
        text = raw if isinstance(raw, str) else repr(type(raw))
        return {"raw": printable(text, _RAW_CHARACTERS)}


def printable(text: str, most: int) -> str:
    """Return the start of a text that may hold anything, as UTF-8 can keep it."""
    return text[:most].encode("utf-8", "replace").decode()


def _mapping(raw: object) -> Mapping[str, Any]:
    fields = _loads(raw) if isinstance(raw, str) else raw
    if fields is None:
        fields = {}
    if not isinstance(fields, Mapping):
        _invalid("Arguments are a JSON object.")
    _check_text(fields)
    return fields


def _loads(text: str) -> object:
    if len(text) > MAX_BYTES:
        _too_large()
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _invalid("Arguments are a JSON object.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_text(fields: Mapping[str, Any]) -> None:
    """Refuse what no store could keep: too much, too deep, NUL, half a surrogate pair."""
    try:
        encoded = canonical(fields)
    except (ValueError, RecursionError, TypeError):
        _invalid("Arguments hold characters or structures that cannot be stored.")
    if len(encoded) > MAX_BYTES:
        _too_large()
    if _NUL.search(encoded):
        _invalid("Arguments hold characters or structures that cannot be stored.")


def _too_large() -> NoReturn:
    raise RuleBroken("arguments.too_large", "The arguments are larger than 32 kB.")


def _invalid(message: str) -> NoReturn:
    raise RuleBroken("arguments.invalid", message)


def _explain(wrong: ValidationError, known: Iterable[str]) -> str:
    names = set(known)
    flaws = wrong.errors(include_input=False, include_url=False)
    lines = (_flaw(flaw, names) for flaw in flaws[:5])
    return "Invalid arguments: " + "; ".join(dict.fromkeys(lines)) + "."


def _flaw(flaw: Mapping[str, Any], names: set[str]) -> str:
    # A field that we do not know was named by the caller: its name is a value, too.
    first = flaw["loc"][0] if flaw["loc"] else "together"
    field = first if first in {*names, "together"} else "a field that this tool does not have"
    rule = str(flaw["type"]).replace("_", " ")
    limits = [f"{k} {v}" for k, v in flaw.get("ctx", {}).items() if k in _LIMITS]
    return f"{field}: {', '.join([rule, *limits])}"
