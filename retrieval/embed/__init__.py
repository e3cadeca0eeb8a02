"""Turns text into vectors, behind one protocol."""
