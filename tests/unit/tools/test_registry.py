"""A catalogue takes complete contracts only; the default one is what models read."""

from dataclasses import replace

import pytest
from pydantic import BaseModel, ConfigDict

from tools.arguments import ToolInput
from tools.catalogue.knowledge import SEARCH_KNOWLEDGE
from tools.catalogue.tickets import OPEN_TICKET
from tools.registry import Registry, default_registry
from tools.spec import Effect, description_of

#: Words by which a model could try to say who somebody is.
IDENTITY = {"person", "subject", "student", "actor", "user", "owner", "conversation", "session"}


class Anything(ToolInput):
    model_config = ConfigDict(extra="allow")


class Untraced(BaseModel):
    pass


def test_two_tools_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two tools"):
        Registry([OPEN_TICKET, OPEN_TICKET])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(OPEN_TICKET, input=Anything), "cannot check"),
        (replace(OPEN_TICKET, input=Untraced), "cannot check"),
        (replace(OPEN_TICKET, output=Untraced), "cannot check"),
        (replace(OPEN_TICKET, summarise=None), "cannot say of what"),
        (
            replace(SEARCH_KNOWLEDGE, approval="student", summarise=lambda *_: "x"),
            "changes nothing",
        ),
        (replace(OPEN_TICKET, examples=({"category": "nonsense"},)), "category"),
    ],
)
def test_incomplete_contract_is_not_taken(spec: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Registry([spec])  # type: ignore[list-item]


def test_tool_without_a_description_is_not_described() -> None:
    with pytest.raises(ValueError, match="does not say"):
        description_of(lambda call: None)


def test_every_tool_of_the_catalogue_says_what_it_is_for_and_has_an_example() -> None:
    for spec in default_registry():
        assert 60 <= len(spec.description) <= 700, spec.name
        assert spec.examples, spec.name
        assert spec.name.isidentifier()


def test_no_tool_that_students_can_call_takes_an_identity() -> None:
    for spec in default_registry():
        if spec.students:
            words = {w for field in spec.input.model_fields for w in field.split("_")}
            assert not words & IDENTITY, spec.name


def test_schemas_are_closed_to_what_they_do_not_name() -> None:
    for spec in default_registry():
        assert spec.input.model_json_schema()["additionalProperties"] is False, spec.name


def test_what_changes_money_or_leaves_the_house_needs_approval() -> None:
    for spec in default_registry():
        if spec.effect in (Effect.MONEY, Effect.OUTBOUND):
            assert spec.approval != "none", spec.name


#: Advise a visitor by what they say alone; integration tests show that nothing else gets in.
ADVISING = {"recommend_courses", "explain_course"}


def test_every_personal_tool_needs_a_verified_student_or_staff() -> None:
    for spec in default_registry():
        if spec.personal and spec.name not in ADVISING:
            assert spec.min_level.name == "VERIFIED" or not spec.students, spec.name
