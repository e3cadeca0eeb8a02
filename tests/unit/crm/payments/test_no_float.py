"""Money is never a float: nothing that could make one stands in the code that reckons with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import crm

CRM = Path(crm.__file__).parent
FILES = [CRM / "money.py", *sorted((CRM / "payments").rglob("*.py"))]


def floats(tree: ast.AST) -> Iterator[str]:
    """Yield what could make a float."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{node.lineno}: literal {node.value}"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{node.lineno}: true division"
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in ("float", "truediv", "fdiv", "fsum"):
                yield f"{node.lineno}: {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CRM).as_posix())
def test_money_is_never_a_float(path: Path) -> None:
    assert list(floats(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize("code", ["x = 1.5", "x = a / b", "x /= 2", "float(x)", "x: float"])
def test_floats_are_found(code: str) -> None:
    assert list(floats(ast.parse(code)))


def test_there_is_money_to_look_at() -> None:
    assert len(FILES) > 20
