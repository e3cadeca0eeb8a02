"""Turns a template and its parameters into the text that leaves."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template


@cache
def _template(name: str, locale: str) -> Template:
    source = files("crm.messaging.outbound") / "templates" / f"{name}.{locale}.txt"
    return Template(source.read_text(encoding="utf-8"))


def render(name: str, locale: str, params: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and body; the subject is the template's first line.

    Raises: KeyError: a parameter is missing.
    """
    subject, _, body = _template(name, locale).substitute(params).partition("\n")
    return subject.strip(), body.strip() + "\n"
