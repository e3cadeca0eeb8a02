"""The tool by which a student says which course they do not want to hear of again."""

from typing import Literal

from pydantic import Field

from crm.actor import Role
from crm.courses.advice.service import known_person
from tools.arguments import ToolInput
from tools.catalogue.cohorts import get_active_course
from tools.outputs import ToolOutput
from tools.spec import Call, Effect, ToolSpec, description_of


class DismissCourse(ToolInput):
    """Which course."""

    code: str = Field(max_length=40, description="As recommend_courses returns it.")
    dismissed: bool = Field(True, description="False takes an earlier refusal back.")


class CourseDismissed(ToolOutput):
    """What is remembered from now on.

    Args:
        remembered_by: `person`: from one conversation to the next; `conversation`: in this one.
    """

    code: str
    title: str
    dismissed: bool
    remembered_by: Literal["person", "conversation"]


async def dismiss_course(call: Call[DismissCourse]) -> CourseDismissed:
    """Remember that the student does not want a course, so that it is not recommended again.

    Use it when they turn a recommended course down, or take that back. It changes advice alone:
    they can still enrol, and nobody is written to because of it.
    """
    detail = await get_active_course(call.services.courses, call.args.code)
    await call.services.advice.set_aside(
        call.uow,
        detail.course.code,
        dismissed=call.args.dismissed,
        conversation_id=call.context.conversation_id,
        actor=call.context.actor,
    )
    return CourseDismissed(
        code=detail.course.code,
        title=detail.course.title.of(call.context.locale),
        dismissed=call.args.dismissed,
        remembered_by="person" if known_person(call.context.actor) else "conversation",
    )


DISMISS_COURSE = ToolSpec(
    name="dismiss_course",
    version=1,
    description=description_of(dismiss_course),
    input=DismissCourse,
    output=CourseDismissed,
    handler=dismiss_course,
    effect=Effect.WRITE,
    roles=frozenset[Role](),
    examples=({"code": "DAT-101"}, {"code": "DAT-101", "dismissed": False}),
)
