"""The composed widget, the stylesheet and the scripts of the consoles."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

import pytest

from api.web.assets import (
    PAGE_STYLES,
    WEB_ROOT,
    WIDGET_MODULES,
    WIDGET_STYLES,
    page_stylesheet,
    static_asset,
    widget_script,
)

_TOP_LEVEL = re.compile(
    r"^(?:export )?(?:async )?(?:class|function\*?|const|let) (\w+)", re.MULTILINE
)
_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";', re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:class|function\*?|const) (\w+)", re.MULTILINE)


def _module(name: str) -> str:
    return (WEB_ROOT / "widget" / name).read_text("utf-8")


def _resolved(name: str, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / target).parts:
        parts.pop() if part == ".." else parts.append(part)
    return "/".join(p for p in parts if p != ".")


def test_every_module_of_the_folder_is_composed_once() -> None:
    folder = WEB_ROOT / "widget"
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*.js")}
    assert Counter(WIDGET_MODULES) == Counter(present)


def test_every_style_of_the_folder_is_used() -> None:
    present = {path.name for path in (WEB_ROOT / "styles").glob("*.css")}
    assert present == {*PAGE_STYLES, *WIDGET_STYLES}


@pytest.mark.parametrize("name", WIDGET_MODULES)
def test_module_imports_only_what_an_earlier_one_exports(name: str) -> None:
    earlier = WIDGET_MODULES[: WIDGET_MODULES.index(name)]
    for names, target in _IMPORT.findall(_module(name)):
        source = _resolved(name, target)
        assert source in earlier
        wanted = {part.strip() for part in names.split(",") if part.strip()}
        assert wanted <= set(_EXPORTED.findall(_module(source)))


def test_names_of_all_modules_differ_since_they_share_a_scope() -> None:
    names = Counter(n for module in WIDGET_MODULES for n in _TOP_LEVEL.findall(_module(module)))
    assert [name for name, count in names.items() if count > 1] == []


def test_script_is_plain_and_holds_both_languages_and_the_styles() -> None:
    script = widget_script().body.decode()
    assert re.search(r"^(?:import|export)\b", script, re.MULTILINE) is None
    assert "Hablar con una persona" in script
    assert "Talk to a person" in script
    assert "--brand:" in script


def test_script_is_under_40_kb_compressed() -> None:
    assert len(widget_script().gzipped) < 40_000


def test_no_text_becomes_markup_and_nothing_is_loaded_from_elsewhere() -> None:
    script = widget_script().body.decode()
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert name not in script
    addresses = set(re.findall(r"https?://[\w.]+", script))
    assert addresses == {"http://www.w3.org"}


def test_consoles_scripts_are_all_served() -> None:
    served = {path.name for path in (WEB_ROOT / "console").glob("*.js")}
    for name in served:
        assert static_asset(f"console/{name}") is not None
    for name in served:
        source = (WEB_ROOT / "console" / name).read_text("utf-8")
        for _, target in _IMPORT.findall(source):
            assert static_asset(_resolved(f"console/{name}", target)) is not None


@pytest.mark.parametrize("name", ["../assets.py", "console/../../settings.py", "", "nothing.js"])
def test_only_listed_files_are_served(name: str) -> None:
    assert static_asset(name) is None


def test_tag_changes_with_the_text() -> None:
    assert widget_script().etag != page_stylesheet().etag
