"""Waitlists: who waits for a seat of a cohort, and in which order."""
