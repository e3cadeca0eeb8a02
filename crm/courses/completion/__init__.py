"""Completion: attendance, the end of a course, and the certificate of it."""
