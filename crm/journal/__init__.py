"""The journal: domain events and their outbox, idempotency keys, and the audit chain."""
