"""Enrolments: a seat that is kept, given back, or changed for one in another cohort."""
