"""The tools there are, one noun a file."""

from tools.catalogue.cohorts import LIST_COHORTS
from tools.catalogue.course_search import SEARCH_COURSES
from tools.catalogue.courses import GET_COURSE
from tools.catalogue.handoff import HAND_OFF
from tools.catalogue.knowledge import SEARCH_KNOWLEDGE
from tools.catalogue.people import FIND_PERSON
from tools.catalogue.profile import MY_PROFILE
from tools.catalogue.programmes import GET_PROGRAMME, LIST_PROGRAMMES
from tools.catalogue.scholarships import LIST_SCHOLARSHIPS
from tools.catalogue.tickets import MY_TICKETS, OPEN_TICKET
from tools.registry import AnySpec

SPECS: tuple[AnySpec, ...] = (
    SEARCH_COURSES,
    GET_COURSE,
    LIST_COHORTS,
    LIST_PROGRAMMES,
    GET_PROGRAMME,
    LIST_SCHOLARSHIPS,
    SEARCH_KNOWLEDGE,
    MY_PROFILE,
    MY_TICKETS,
    OPEN_TICKET,
    HAND_OFF,
    FIND_PERSON,
)
