"""Invoices: what is owed, in instalments, and what no longer is."""
