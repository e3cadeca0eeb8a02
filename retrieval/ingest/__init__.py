"""Turns documents into chunks and keeps the index in step with them."""
