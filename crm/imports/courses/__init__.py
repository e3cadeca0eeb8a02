"""Imports of courses."""
