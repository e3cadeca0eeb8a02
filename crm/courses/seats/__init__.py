"""Seats: who holds one for a while, who waits for one, and to whom one is offered."""
