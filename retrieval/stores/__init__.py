"""Keeps documents, chunks and vectors, behind protocols; all SQL of retrieval lives here."""
