"""Conversations: sessions, the append-only message log, take-over by people."""
