"""Whether something new may be written about a person: nothing about the merged and the erased."""

from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId
from crm.people import store
from crm.people.authority import check_active


async def require_active(uow: UnitOfWork, person_id: PersonId) -> None:
    """Check that a person was neither merged nor erased, and will not be before this commits.

    Raises: NotFound("person.unknown"); RuleBroken("person.inactive").
    """
    status = await store.select_status(uow.conn, person_id)
    if status is None:
        raise NotFound("person.unknown", "There is no such person.")
    check_active(status)
