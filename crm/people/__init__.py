"""People: contacts, their addresses and consents."""
