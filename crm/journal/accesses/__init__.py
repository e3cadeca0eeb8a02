"""The access log: who read whose record."""
