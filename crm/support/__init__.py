"""Support: tickets with their history, and hand-offs of conversations to people."""
