"""Imports: files of people, leads and courses, line by line, with what is wrong in each."""
