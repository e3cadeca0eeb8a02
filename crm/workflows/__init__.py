"""Sagas: what takes several transactions and must end wholly done or wholly undone."""
