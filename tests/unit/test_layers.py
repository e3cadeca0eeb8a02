"""The layers of the import contract are the project's packages, and none is left out."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
#: What stands at the top without being a package of the product.
BESIDE = {"tests", "docs", "deploy"}


def packages() -> set[str]:
    return {p.parent.name for p in ROOT.glob("*/__init__.py")} - BESIDE


def test_layers_are_exactly_the_packages() -> None:
    contracts = CONFIG["tool"]["importlinter"]["contracts"]
    (layers,) = [c["layers"] for c in contracts if c["type"] == "layers"]
    named = {name.strip() for layer in layers for name in layer.split("|")}
    assert named == packages()


def test_packages_are_built_checked_and_linted_alike() -> None:
    built = set(CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    typed = set(CONFIG["tool"]["mypy"]["packages"])
    linted = set(CONFIG["tool"]["importlinter"]["root_packages"])
    assert built == typed == linted == packages()


def test_sql_stands_in_stores_only() -> None:
    """A statement outside a store would escape review of queries and of ownership."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in packages()
        for path in (ROOT / package).rglob("*.py")
        if path.stem != "store"
        and not path.stem.endswith("_store")
        and "retrieval/stores" not in path.as_posix()
        and "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _is_statement(node.value)
    ]
    assert found == []


def _is_statement(text: str) -> bool:
    words = text.split(None, 2)
    starts = {("INSERT", "INTO"), ("DELETE", "FROM"), ("WITH", "RECURSIVE")}
    if len(words) < 3:
        return False
    first, second = words[0], words[1]
    return (first, second) in starts or (
        (first == "SELECT" and " FROM " in text) or (first == "UPDATE" and " SET " in text)
    )
