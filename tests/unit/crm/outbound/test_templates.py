"""Every template speaks both languages and says all it was given."""

from importlib.resources import files
from string import Template

import pytest

from crm.messaging.outbound.rendering import render

FOLDER = files("crm.messaging.outbound") / "templates"
NAMES = sorted({f.name.split(".")[0] for f in FOLDER.iterdir() if f.name.endswith(".txt")})


def _fields(name: str, locale: str) -> set[str]:
    text = (FOLDER / f"{name}.{locale}.txt").read_text(encoding="utf-8")
    return set(Template(text).get_identifiers())


def test_there_are_templates() -> None:
    assert "verification_code" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_need_the_same_and_leave_nothing_open(name: str) -> None:
    assert _fields(name, "es") == _fields(name, "en")
    for locale in ("es", "en"):
        params = {field: f"<{field}>" for field in _fields(name, locale)}

        subject, body = render(name, locale, params)

        assert subject
        assert "\n" not in subject
        assert "$" not in subject + body
        for value in params.values():
            assert value in subject + body


def test_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        render("verification_code", "es", {"code": "123456"})
