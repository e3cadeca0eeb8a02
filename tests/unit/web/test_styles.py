"""The design's rules that a style sheet can break: contrast, sizes, one place for colours."""

from __future__ import annotations

import re

import pytest

from api.web.assets import PAGE_STYLES, WEB_ROOT, WIDGET_STYLES

_TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
_PX = re.compile(r"font(?:-size)?:[^;]*?\b(\d+(?:\.\d+)?)px")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(")

#: Text on what it stands on.
_PAIRS = [
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "sunken"),
    ("ink", "mark"),
    ("ink", "accent-tint"),
    ("ink", "brand-tint"),
    ("ink", "bad-tint"),
    ("ink-soft", "paper"),
    ("ink-soft", "surface"),
    ("ink-soft", "sunken"),
    ("ink-soft", "accent-tint"),
    ("ink-soft", "mark"),
    ("brand", "paper"),
    ("brand", "surface"),
    ("brand", "sunken"),
    ("brand", "brand-tint"),
    ("brand", "mark"),
    ("brand", "accent-tint"),
    ("on-brand", "brand"),
    ("on-brand", "brand-strong"),
    ("on-said", "said"),
    ("accent", "paper"),
    ("accent", "accent-tint"),
    ("good", "surface"),
    ("good", "paper"),
    ("good", "good-tint"),
    ("bad", "surface"),
    ("bad", "paper"),
    ("bad", "bad-tint"),
]


def _sheet(name: str) -> str:
    return (WEB_ROOT / "styles" / name).read_text("utf-8")


def _tokens(scheme: int) -> dict[str, str]:
    return {m[0]: m[1 + scheme] for m in _TOKEN.findall(_sheet("tokens.css"))}


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), _PAIRS)
def test_text_contrasts_with_its_ground(text: str, ground: str, scheme: int) -> None:
    tokens = _tokens(scheme)
    assert _contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("line", ["line-strong", "focus"])
@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_edges_of_controls_and_the_focus_ring_can_be_seen(
    line: str, ground: str, scheme: int
) -> None:
    tokens = _tokens(scheme)
    assert _contrast(tokens[line], tokens[ground]) >= 3.0


@pytest.mark.parametrize("name", sorted({*PAGE_STYLES, *WIDGET_STYLES} - {"tokens.css"}))
def test_colours_are_named_in_the_tokens_only(name: str) -> None:
    assert _COLOUR.findall(_sheet(name)) == []


@pytest.mark.parametrize("name", sorted({*PAGE_STYLES, *WIDGET_STYLES}))
def test_no_text_is_smaller_than_14_px(name: str) -> None:
    sizes = [float(size) for size in _PX.findall(_sheet(name))]
    factors = [
        float(f) for f in re.findall(r"--text-\w+: calc\(var\(--unit\) \* ([\d.]+)\)", _sheet(name))
    ]
    assert all(size >= 14 for size in sizes)
    assert all(16 * factor >= 14 for factor in factors)
    assert name != "tokens.css" or factors


@pytest.mark.parametrize("name", sorted({*PAGE_STYLES, *WIDGET_STYLES}))
def test_every_token_that_is_used_is_defined(name: str) -> None:
    defined = set(re.findall(r"(--[\w-]+):", _sheet("tokens.css")))
    assert set(re.findall(r"var\((--[\w-]+)", _sheet(name))) <= defined
