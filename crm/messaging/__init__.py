"""Messaging: conversations and their log, turns and leases, confirmations, outbound messages."""
