"""Invariant 14: an agent's rights are those of the person it acts for, and nothing widens them."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm.actor import Actor, AgentIdentity, IdentityLevel, Role
from crm.ids import PersonId, StaffId, SubjectId
from tools.arguments import ToolInput
from tools.outputs import ToolOutput
from tools.policy import decide, may_call
from tools.registry import Registry, default_registry
from tools.spec import Call, Effect, ToolSpec


async def nothing(call: Call[ToolInput]) -> ToolOutput:
    """Do nothing."""
    return ToolOutput()


SPECS = st.builds(
    ToolSpec,
    name=st.from_regex(r"[a-z]{3,8}", fullmatch=True),
    version=st.just(1),
    description=st.just("Does nothing."),
    input=st.just(ToolInput),
    output=st.just(ToolOutput),
    handler=st.just(nothing),
    effect=st.sampled_from([Effect.WRITE, Effect.MONEY, Effect.OUTBOUND]),
    min_level=st.sampled_from(IdentityLevel),
    students=st.booleans(),
    roles=st.frozensets(st.sampled_from(Role)),
    approval=st.sampled_from(["none", "student", "advisor"]),
    personal=st.booleans(),
    summarise=st.just(lambda args, locale: "Does nothing."),
)
AGENTS = st.none() | st.builds(AgentIdentity, st.text(), st.text(), st.text())
ACTORS = st.builds(
    Actor,
    subject_id=st.uuids().map(SubjectId),
    level=st.sampled_from(IdentityLevel),
    person_id=st.none() | st.uuids().map(PersonId),
    staff_id=st.none() | st.uuids().map(StaffId),
    role=st.none() | st.sampled_from(Role),
    agent=AGENTS,
)
Spec = ToolSpec[Any, Any]


@given(spec=SPECS, actor=ACTORS, agent=AGENTS, confirmed=st.booleans())
def test_agent_may_do_what_its_person_may_and_no_more(
    spec: Spec, actor: Actor, agent: AgentIdentity | None, confirmed: bool
) -> None:
    mine = decide(spec, replace(actor, agent=None), confirmed=confirmed)
    assert decide(spec, replace(actor, agent=agent), confirmed=confirmed) == mine


@given(spec=SPECS, actor=ACTORS)
def test_confirmation_opens_nothing_that_policy_closes(spec: Spec, actor: Actor) -> None:
    before = decide(spec, actor, confirmed=False)
    after = decide(spec, actor, confirmed=True)
    assert (before.outcome == "refused") == (after.outcome == "refused")
    assert after.outcome != "needs_approval"


@given(spec=SPECS, actor=ACTORS)
def test_nothing_that_needs_approval_is_allowed_without_it(spec: Spec, actor: Actor) -> None:
    if spec.approval != "none":
        assert decide(spec, actor, confirmed=False).outcome != "allowed"


@given(spec=SPECS, actor=ACTORS)
def test_student_needs_the_level_and_staff_the_role(spec: Spec, actor: Actor) -> None:
    if may_call(spec, actor):
        if actor.role is None:
            assert spec.students
            assert actor.level >= spec.min_level
        else:
            assert actor.role in spec.roles


@given(spec=SPECS, actor=ACTORS)
def test_higher_level_never_loses_a_right(spec: Spec, actor: Actor) -> None:
    if may_call(spec, actor):
        assert may_call(spec, replace(actor, level=IdentityLevel.VERIFIED))


@given(specs=st.lists(SPECS, unique_by=lambda s: s.name, max_size=6), actor=ACTORS)
def test_registered_is_exactly_what_policy_lets_through(specs: list[Spec], actor: Actor) -> None:
    shown = Registry(specs).tools_for(actor)
    assert list(shown) == [
        s for s in specs if decide(s, actor, confirmed=True).outcome == "allowed"
    ]


@given(actor=ACTORS)
def test_catalogue_shows_students_no_register_of_people(actor: Actor) -> None:
    names = {s.name for s in default_registry().tools_for(actor)}
    if actor.role is None:
        assert "find_person" not in names
        assert ("my_profile" in names) == (actor.level is IdentityLevel.VERIFIED)
    else:
        assert not names & {"my_profile", "my_tickets", "open_ticket", "hand_off"}


@given(spec=SPECS, actor=ACTORS)
def test_refusal_says_why_in_safe_words(spec: Spec, actor: Actor) -> None:
    decision = decide(spec, actor, confirmed=True)
    if decision.outcome == "refused":
        assert decision.message
        assert decision.code in {"tool.staff_only", "tool.role", "identity.level"}
