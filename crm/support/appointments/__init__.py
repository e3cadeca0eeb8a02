"""Appointments of people with advisors: who offers which hours, and what is booked in them."""
