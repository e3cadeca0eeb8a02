"""Payments: what is owed, what was paid, and the books that say so."""
