"""Confirmations: frozen calls that wait for a decision."""
