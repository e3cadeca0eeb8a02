"""Leaving a course: the seat goes back, and money by the rules."""
