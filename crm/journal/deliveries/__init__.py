"""Deliveries: each domain event to each of its handlers, until it is taken or set aside."""
