"""What the tools' handlers work with; the composition root fills it."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from crm.courses.service import CourseService
from crm.messaging.confirmations.service import ConfirmationService
from crm.messaging.conversations.service import ConversationService
from crm.people.service import PeopleService
from crm.support.service import SupportService
from retrieval.models import Audience, Kind, Language, SearchResult


class KnowledgeIndex(Protocol):
    """Finds passages; `retrieval`'s search is one."""

    async def search(
        self,
        query: str,
        *,
        kind: Kind,
        audiences: frozenset[Audience],
        on: date,
        query_language: Language | None,
        limit: int = 5,
    ) -> SearchResult:
        """Return the best passages for these readers, and how much they are worth."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServices:
    """The use cases that tools act through.

    Args:
        time_zone: the institution's; in it dates are put into words.
    """

    courses: CourseService
    people: PeopleService
    support: SupportService
    conversations: ConversationService
    confirmations: ConfirmationService
    knowledge: KnowledgeIndex
    time_zone: str = "UTC"
