"""Enrolling: a seat, a payment, an enrolment, or none of them."""
