"""Imports of leads, with the people whose interest they are."""
