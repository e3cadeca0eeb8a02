"""The list of the erased survives outside the database."""

from uuid import uuid4

import pytest

from api.commands.erasures import read_lines
from crm.errors import RuleBroken


def test_lines_are_read_back() -> None:
    person, subject = uuid4(), uuid4()
    lines = [f'{{"person_id": "{person}", "subjects": ["{subject}"]}}', "", "  "]

    assert read_lines(lines) == ((person, (subject,)),)


@pytest.mark.parametrize(
    "line", ["x", "{}", "[]", '{"person_id": "1", "subjects": []}', '{"person_id": null}']
)
def test_other_file_is_refused(line: str) -> None:
    with pytest.raises(RuleBroken, match=r"erasure\.list"):
        read_lines([line])
