"""How alike two records are, and what a merge makes of what they say."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.ids import PersonId, new_id
from crm.people.duplicates.models import SUGGESTED, Likeness, compare, mailbox
from crm.people.merging.models import strictest_consents
from crm.people.models import Consent, ConsentChannel, ConsentPurpose

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
ANA = Likeness(
    PersonId(uuid4()),
    "Ana María Pérez Soto",
    "ana.perez@gmail.com",
    "+51987654321",
    date(2001, 5, 2),
)


def _other(**facts: Any) -> Likeness:
    nobody = replace(ANA, id=PersonId(uuid4()), email=None, phone=None, birth_date=None)
    return replace(nobody, **facts)


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({"email": "anaperez+cursos@googlemail.com"}, ("email", "name")),
        ({"phone": "+34987654321", "full_name": "Perez Soto Ana Maria"}, ("phone", "name")),
        ({"full_name": "Ana María Peres Sotto", "birth_date": date(2001, 5, 2)}, None),
        ({"phone": "+51987654321", "full_name": "Ana Maria Perez"}, None),
    ],
)
def test_same_person_is_suggested(facts: dict[str, Any], reasons: tuple[str, ...] | None) -> None:
    found = compare(ANA, _other(**facts))

    assert found.score >= SUGGESTED
    assert reasons is None or found.reasons == reasons


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"full_name": "Ana María Pérez Soto", "birth_date": date(1999, 1, 1)},
        {"full_name": "Luis Pérez Soto", "phone": "+51987654321"},
        {"full_name": "Carlos Quispe", "birth_date": date(2001, 5, 2)},
        {"full_name": "Ana Pérez", "email": "ana.perez@correo.example"},
    ],
)
def test_namesake_or_relative_is_not_suggested(facts: dict[str, Any]) -> None:
    assert compare(ANA, _other(**facts)).score < SUGGESTED


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from([None, date(2001, 5, 2)]))
def test_order_changes_nothing(one: str, other: str, born: date | None) -> None:
    first, second = _other(full_name=one, birth_date=born), replace(ANA, full_name=other)

    there, back = compare(first, second), compare(second, first)

    assert (there.score, there.reasons) == (back.score, back.reasons)
    assert 0 <= there.score <= 100


def test_dots_count_outside_gmail() -> None:
    assert mailbox("a.b+x@correo.example") == "a.b@correo.example"
    assert mailbox("a.b+x@gmail.com") == mailbox("ab@googlemail.com")


CONSENTS = st.dictionaries(
    st.tuples(st.sampled_from(get_args(ConsentChannel)), st.sampled_from(get_args(ConsentPurpose))),
    st.booleans(),
)


def _consents(said: dict[tuple[Any, Any], bool]) -> list[Consent]:
    return [
        Consent(
            id=new_id(),
            person_id=PersonId(uuid4()),
            channel=channel,
            purpose=purpose,
            granted=granted,
            source="staff",
            text_version="1",
            guardian_id=None,
            recorded_at=NOW,
        )
        for (channel, purpose), granted in said.items()
    ]


@given(CONSENTS, CONSENTS)
def test_strictest_consent_wins_and_none_is_lost(
    survivor: dict[tuple[Any, Any], bool], merged: dict[tuple[Any, Any], bool]
) -> None:
    appended = strictest_consents(_consents(survivor), _consents(merged), person_id=ANA.id, at=NOW)
    after = survivor | {(c.channel, c.purpose): c.granted for c in appended}

    assert after.keys() == survivor.keys() | merged.keys()
    for key, granted in after.items():
        assert granted is (survivor.get(key, True) and merged.get(key, True))
    assert all(c.person_id == ANA.id for c in appended)
