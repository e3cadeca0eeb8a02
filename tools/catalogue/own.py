"""Whose record a student's call is about: the session's, never one that a model names."""

from crm.actor import Actor
from crm.errors import Denied
from crm.ids import PersonId


def own_person(actor: Actor) -> PersonId:
    """Return the person behind the session.

    Raises: Denied("identity.person"): the session belongs to nobody we know.
    """
    if actor.person_id is None:
        raise Denied("identity.person", "This session belongs to nobody we know.")
    return actor.person_id
