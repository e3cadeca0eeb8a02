"""Write requirements.lock: the installed version of all that Orienta needs, by name alone.

It holds no address and no path, so that it serves with whatever package index a machine uses.
The `models` extra stays out: torch's builds differ by machine.
"""

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

#: Needed only on a Python that is not this one (redis: before 3.11.3, as in Debian 12).
ELSEWHERE = {"async-timeout": "5.0.1"}
#: Debian 12's Python; a package that asks for a newer one would not install there.
OLDEST_PYTHON = "3.11.2"
HEADER = "# Written by `make lock`; pip takes it as constraints. Do not edit.\n"


def wanted(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether a requirement holds here for any of the extras asked for."""
    environment = dict(default_environment())
    marker = requirement.marker
    return marker is None or any(marker.evaluate(environment | {"extra": e}) for e in extras)


def collect(name: str, extras: frozenset[str], pins: dict[str, str]) -> None:
    """Pin what an installed package needs, and what that needs in turn."""
    pin(name, distribution(name).requires or (), extras, pins)


def pin(name: str, lines: Iterable[str], extras: frozenset[str], pins: dict[str, str]) -> None:
    """Pin these requirements of a package, and what they need in turn."""
    for line in lines:
        requirement = Requirement(line)
        if not wanted(requirement, extras):
            continue
        needed, more = canonicalize_name(requirement.name), frozenset(requirement.extras) | {""}
        if needed not in pins or requirement.extras:
            pins[needed] = suitable(needed, name).version
            collect(needed, more, pins)


def suitable(needed: str, by: str) -> Distribution:
    """The installed package, if the oldest Python takes it, too."""
    try:
        found = distribution(needed)
    except PackageNotFoundError:
        sys.exit(f"{needed} (needed by {by}) is not installed: run make check first")
    pythons = SpecifierSet(found.metadata.get("Requires-Python", ""))
    if not pythons.contains(OLDEST_PYTHON):
        sys.exit(f"{needed} {found.version} wants Python {pythons}: install an older version")
    return found


def main(target: Path) -> None:
    """Write the lock."""
    pins = dict(ELSEWHERE)
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = (*project["dependencies"], *project["optional-dependencies"]["dev"])
    pin(project["name"], direct, frozenset({""}), pins)
    lines = (f"{name}=={version}\n" for name, version in sorted(pins.items()))
    target.write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
