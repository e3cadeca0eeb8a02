"""The lock pins what the project needs and says nothing about where it came from."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "requirements.lock").read_text().splitlines()
PINS = [line for line in LINES if not line.startswith("#")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned() -> dict[str, str]:
    pairs = (line.split("==") for line in PINS)
    return {canonicalize_name(name): version for name, version in pairs}


def test_a_pin_is_a_name_and_a_version_and_nothing_else() -> None:
    pin = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][A-Za-z0-9.!+_-]*")
    assert [line for line in PINS if not pin.fullmatch(line)] == []
    assert len(PINS) > 100


def test_no_line_names_a_host_an_option_or_a_path() -> None:
    for line in LINES:
        assert not re.search(r"://|\s@\s|^-|^/|\bfile:", line)
        assert line.startswith("#") or "/" not in line


@pytest.mark.parametrize(
    "line", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
)
def test_every_direct_dependency_is_pinned_to_a_version_it_allows(line: str) -> None:
    requirement = Requirement(line)
    version = pinned()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True)


def test_what_differs_by_machine_stays_out() -> None:
    heavy = {"torch", "transformers", "sentence-transformers", "triton", "orienta", "pip"}
    assert not heavy & pinned().keys()
    assert not [name for name in pinned() if name.startswith("nvidia-")]


def test_pins_are_sorted_and_single() -> None:
    names = [line.split("==")[0] for line in PINS]
    assert names == sorted(set(names))


def test_every_pin_installs_on_the_oldest_python_that_is_promised() -> None:
    oldest = "3.11.2"  # Debian 12's
    for name in pinned().keys() - {"async-timeout"}:
        wanted = distribution(name).metadata.get("Requires-Python", "")
        assert SpecifierSet(wanted).contains(oldest), (name, wanted)
