"""Attendance: who was at which session of a cohort."""
