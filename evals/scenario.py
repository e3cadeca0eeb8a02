"""Scenarios: what a student does, and what must come of it."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Language = Literal["es", "en"]
Confirmation = Literal["asked", "executed", "rejected", "expired", "none"]
CourseFact = Literal[
    "price",
    "list_price",
    "next_start",
    "schedule",
    "modality",
    "seats_left",
    "hours",
    "weeks",
    "prerequisites",
]
ProgrammeFact = Literal["fee", "months"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedFacts(_Strict):
    """Facts that must be told as the database has them.

    Args:
        course: its code; of several, any one whose facts are all told will do.
        programme: the same for a programme; exactly one of the two.
    """

    course: str | list[str] | None = None
    programme: str | list[str] | None = None
    facts: list[CourseFact | ProgrammeFact] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.course is None) == (self.programme is None):
            raise ValueError("facts are of a course or of a programme")
        of_programme = {"fee", "months"} & set(self.facts)
        if bool(of_programme) != (self.programme is not None):
            raise ValueError("fee and months are facts of programmes, the others of courses")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes, any of which will do."""
        named = self.course if self.programme is None else self.programme
        return (named,) if isinstance(named, str) else tuple(named or ())


class FinalState(_Strict):
    """How the conversation and what hangs on it stand in the end.

    Args:
        conversation: who answers next.
        confirmation: what became of the last call that waited for consent.
        ticket_category: of the newest ticket opened in this conversation.
    """

    conversation: Literal["agent", "waiting", "advisor", "closed"] | None = None
    confirmation: Confirmation | None = None
    ticket_category: str | None = None


class Expectations(_Strict):
    """What is graded of a stretch of a conversation; a field that is not set is not.

    Args:
        tools_called: all of them, with whatever outcome.
        tools_not_called: none of them.
        cites: at least one citation's address begins with one of these.
        cites_all: each of these begins some citation's address.
        cites_none: no citation's address begins with any of these.
        contains_any: a reply has at least one of these; case and accents do not matter.
        contains_none: no reply has any of these.
        contains_fact: see `ExpectedFacts`.
        language: of every reply.
        handoff: `requested`: a person was asked for; `offered`: that, or the student was told how.
        offers: hints that a reply carries for the channel, e.g. `verify`.
        confirmation: what became of the last call that waits, or waited, for consent.
        tickets: how many were opened in this conversation up to here.
        refused_tool: a call that the audit has as refused: a tool's name, or `any`.
        discloses_not: strings that no reply may have.
        discloses_nothing_of: e-mail addresses of people whose data no reply may have.
        replies: how many messages the agent sent.
        max_words: of each reply.
    """

    tools_called: list[str] | None = None
    tools_not_called: list[str] | None = None
    cites: list[str] | None = None
    cites_all: list[str] | None = None
    cites_none: list[str] | None = None
    contains_any: list[str] | None = None
    contains_none: list[str] | None = None
    contains_fact: list[ExpectedFacts] | None = None
    language: Language | None = None
    handoff: Literal["requested", "offered", "none"] | None = None
    offers: list[str] | None = None
    confirmation: Confirmation | None = None
    tickets: int | None = Field(None, ge=0)
    refused_tool: str | None = None
    discloses_not: list[str] | None = None
    discloses_nothing_of: list[str] | None = None
    replies: int | None = Field(None, ge=0)
    max_words: int | None = Field(None, ge=1)
    final_state: FinalState | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_empty(cls, raw: Any) -> Any:
        for name, value in raw.items() if isinstance(raw, dict) else ():
            if value is None or value in ([], {}):
                raise ValueError(f"`{name}` is set and asks for nothing")
        return raw

    def says_nothing(self) -> bool:
        """Return whether nothing at all is expected."""
        return not self.model_dump(exclude_none=True)


class Step(_Strict):
    """What the student does before the agent answers.

    Its parts happen in this order: time passes, they prove who they are, they decide, they write.

    Args:
        student: one message, or several sent without waiting.
        verify_as: e-mail address of the person whom the session proves from here on.
        decide: on what was shown last.
        expect: graded over what happened in this step alone.
    """

    wait_minutes: int | None = Field(None, ge=1)
    verify_as: str | None = None
    decide: Literal["accept", "reject"] | None = None
    student: str | list[str] | None = None
    expect: Expectations | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.decide is None and not self.messages:
            raise ValueError("a turn has a `student` message or a `decide`")
        if self.expect is not None and self.expect.says_nothing():
            raise ValueError("a turn's `expect` expects nothing")
        return self

    @property
    def messages(self) -> tuple[str, ...]:
        """Return what the student writes, a burst as several."""
        if isinstance(self.student, str):
            return (self.student,)
        return tuple(self.student or ())


class Scenario(_Strict):
    """One conversation with what is expected of it.

    Args:
        language: the student's, at first; the session starts with it.
        expect: graded over the whole conversation.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    family: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    language: Language
    turns: list[Step] = Field(min_length=1)
    expect: Expectations = Expectations()

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        stretches = (self.expect, *(t.expect for t in self.turns if t.expect is not None))
        if all(e.says_nothing() for e in stretches):
            raise ValueError("a scenario without expectations cannot be graded")
        return self

    def stretches(self) -> list[tuple[int | None, Expectations]]:
        """Return what is graded: by index of the turn, or None for the whole."""
        turns = [(i, t.expect) for i, t in enumerate(self.turns) if t.expect is not None]
        whole = [] if self.expect.says_nothing() else [(None, self.expect)]
        return [*turns, *whole]
