"""The staff's tool that finds a person."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from crm.people.models import Person
from tools.arguments import ToolInput
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of

_MOST = 5


class FindPerson(ToolInput):
    """Whom to look for, by exactly one of these."""

    email: str | None = Field(None, min_length=3, max_length=254)
    phone: str | None = Field(None, min_length=5, max_length=32)
    name: str | None = Field(None, min_length=2, max_length=120)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.email, self.phone, self.name)) != 1:
            raise ValueError("give exactly one of email, phone and name")
        return self

    def recorded(self) -> dict[str, object]:
        """Return by what was searched: the words are somebody else's data."""
        return {"by": [name for name in ("email", "phone", "name") if getattr(self, name)]}


class PersonOut(BaseModel):
    """A person as staff see them."""

    person_id: UUID
    full_name: str
    email: str | None
    phone: str | None
    preferred_language: Locale


class PeopleFound(ToolOutput):
    """People, the best match first.

    Args:
        more: whether others match, too.
    """

    people: list[PersonOut]
    more: bool

    def recorded(self) -> dict[str, object]:
        """Return who was seen."""
        return {"people": [str(p.person_id) for p in self.people]}

    def others_shown(self) -> tuple[UUID, ...]:
        """Return who was seen."""
        return tuple(p.person_id for p in self.people)


async def find_person(call: Call[FindPerson]) -> PeopleFound:
    """Find people of the institution by their e-mail address, phone number or name.

    For staff only. Returns at most five people with their contact data.
    """
    args = call.args
    query = args.email or args.phone or args.name
    page = await call.services.people.list_people(
        query, cursor=None, limit=_MOST, actor=call.context.actor
    )
    return PeopleFound(people=[_person(p) for p in page.items], more=page.next_cursor is not None)


def _person(person: Person) -> PersonOut:
    return PersonOut(
        person_id=person.id,
        full_name=person.full_name,
        email=person.email,
        phone=person.phone,
        preferred_language=person.locale,
    )


FIND_PERSON = ToolSpec(
    name="find_person",
    version=1,
    description=description_of(find_person),
    input=FindPerson,
    output=PeopleFound,
    handler=find_person,
    students=False,
    personal=True,
    examples=({"name": "Ana Pérez"},),
)
