"""The tools there are, one noun a file."""

from tools.catalogue.actions import PLAN_TASK, PROPOSE_ACTION, WRITE_TO_LEAD
from tools.catalogue.appointment_booking import (
    BOOK_APPOINTMENT,
    CANCEL_APPOINTMENT,
    MOVE_APPOINTMENT,
)
from tools.catalogue.appointments import APPOINTMENT_SLOTS, MY_APPOINTMENTS
from tools.catalogue.certificates import MY_CERTIFICATES
from tools.catalogue.cohorts import LIST_COHORTS
from tools.catalogue.consents import ALLOW_CONTACT, STOP_CONTACT
from tools.catalogue.course_search import SEARCH_COURSES
from tools.catalogue.courses import GET_COURSE
from tools.catalogue.dismissals import DISMISS_COURSE
from tools.catalogue.enrol import ENROL
from tools.catalogue.handoff import HAND_OFF
from tools.catalogue.knowledge import SEARCH_KNOWLEDGE
from tools.catalogue.payments import MY_PAYMENTS, PAYMENT_LINK
from tools.catalogue.people import FIND_PERSON
from tools.catalogue.profile import MY_PROFILE
from tools.catalogue.programmes import GET_PROGRAMME, LIST_PROGRAMMES
from tools.catalogue.recommend import (
    EXPLAIN_COURSE,
    RECOMMEND_COURSES,
    RECOMMEND_FOR_PERSON,
)
from tools.catalogue.refunds import ASK_REFUND
from tools.catalogue.scholarships import LIST_SCHOLARSHIPS
from tools.catalogue.scoring import LEAD_SCORE, SCORE_LEADS
from tools.catalogue.tickets import MY_TICKETS, OPEN_TICKET
from tools.catalogue.waitlist import JOIN_WAITLIST, LEAVE_WAITLIST, MY_WAITLIST
from tools.catalogue.withdraw import TRANSFER, WITHDRAW
from tools.registry import AnySpec

SPECS: tuple[AnySpec, ...] = (
    SEARCH_COURSES,
    GET_COURSE,
    LIST_COHORTS,
    RECOMMEND_COURSES,
    EXPLAIN_COURSE,
    LIST_PROGRAMMES,
    GET_PROGRAMME,
    LIST_SCHOLARSHIPS,
    SEARCH_KNOWLEDGE,
    APPOINTMENT_SLOTS,
    MY_PROFILE,
    MY_WAITLIST,
    MY_PAYMENTS,
    MY_CERTIFICATES,
    MY_TICKETS,
    MY_APPOINTMENTS,
    ENROL,
    WITHDRAW,
    TRANSFER,
    JOIN_WAITLIST,
    LEAVE_WAITLIST,
    PAYMENT_LINK,
    ASK_REFUND,
    BOOK_APPOINTMENT,
    MOVE_APPOINTMENT,
    CANCEL_APPOINTMENT,
    ALLOW_CONTACT,
    STOP_CONTACT,
    DISMISS_COURSE,
    OPEN_TICKET,
    HAND_OFF,
    FIND_PERSON,
    RECOMMEND_FOR_PERSON,
    LEAD_SCORE,
    SCORE_LEADS,
    PROPOSE_ACTION,
    PLAN_TASK,
    WRITE_TO_LEAD,
)
