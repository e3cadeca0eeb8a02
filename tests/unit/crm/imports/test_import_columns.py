"""Which column of a file holds which field."""

import pytest

from crm.errors import RuleBroken
from crm.imports.models import choose_columns
from crm.imports.people.rows import FIELDS


def test_spanish_headers_are_known() -> None:
    header = ["Nombre completo", "Correo electrónico", "TELÉFONO", "Idioma"]
    assert choose_columns(header, FIELDS, {}) == {
        "full_name": 0,
        "email": 1,
        "phone": 2,
        "locale": 3,
    }


def test_caller_names_a_column() -> None:
    header = ["Alumno", "email", "Correo del padre"]
    chosen = choose_columns(header, FIELDS, {"full_name": "alumno", "email": "Correo del padre"})
    assert chosen == {"full_name": 0, "email": 2}


@pytest.mark.parametrize(
    ("header", "wanted", "code"),
    [
        (["name"], {"salary": "name"}, "import.field"),
        (["name"], {"email": "Correo"}, "import.column"),
        (["email"], {}, "import.columns"),
    ],
)
def test_impossible_mapping_is_refused(
    header: list[str], wanted: dict[str, str], code: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        choose_columns(header, FIELDS, wanted)
    assert refusal.value.code == code
