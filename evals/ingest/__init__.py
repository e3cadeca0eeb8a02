"""Proves that an ingest that is killed again and again loses nothing and doubles nothing."""
