"""Reconciliation: what a gateway booked against what our ledger says."""
