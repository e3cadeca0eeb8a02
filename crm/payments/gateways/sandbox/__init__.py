"""Sandbox: a payment gateway of our own for demonstrations and tests, with every bad habit."""
