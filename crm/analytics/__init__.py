"""Read models: what the institution's numbers are, kept in step with its events."""
