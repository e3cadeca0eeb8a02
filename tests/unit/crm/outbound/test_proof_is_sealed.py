"""A proof comes from the proving and from nowhere else."""

import ast
import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from crm.ids import PersonId
from crm.messaging.outbound import proof as proving
from crm.messaging.outbound.proof import ContactProof, prove_code
from crm.people.models import Person

ROOT = Path(__file__).parents[4]
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
HOME = Path("crm/messaging/outbound/proof.py")


def _proof() -> ContactProof:
    person = Person(
        id=PersonId(uuid4()),
        full_name="Ana",
        email="ana@correo.example",
        phone=None,
        locale="es",
        time_zone="America/Lima",
        birth_date=None,
        guardian_id=None,
        status="active",
        merged_into=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return prove_code(person, "email", locale="en", at=NOW)


@pytest.mark.parametrize("seal", [None, object(), True, "seal"])
def test_proof_cannot_be_constructed(seal: object) -> None:
    with pytest.raises(TypeError):
        ContactProof(
            person_id=PersonId(uuid4()),
            basis="consent",
            channel="email",
            purpose="marketing",
            recipient="ana@correo.example",
            locale="es",
            proven_at=NOW,
            seal=seal,
        )


def test_proof_cannot_be_bent_into_another() -> None:
    proof = _proof()

    with pytest.raises((TypeError, ValueError)):
        replace(proof, recipient="eva@correo.example")
    with pytest.raises((TypeError, ValueError)):
        replace(proof, recipient="eva@correo.example", seal=None)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        proof.recipient = "eva@correo.example"  # type: ignore[misc]
    assert copy.copy(proof) == proof


def test_nobody_else_makes_one_or_takes_the_seal() -> None:
    packages = ("agents", "api", "crm", "evals", "retrieval", "tools")
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if path.relative_to(ROOT) != HOME
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if _makes_or_takes(node)
    ]
    assert found == []


def _makes_or_takes(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return "ContactProof" in ast.unparse(node.func)
    if isinstance(node, ast.ImportFrom) and node.module == proving.__name__:
        return any(name.name == "_SEAL" for name in node.names)
    return isinstance(node, ast.Attribute) and node.attr == "_SEAL"
