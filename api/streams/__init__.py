"""The live events of conversations: Redis streams, and the fan-out to open connections."""
