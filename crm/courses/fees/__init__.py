"""Fees: what a seat costs a person, and the scholarship money that pays for part of it."""
