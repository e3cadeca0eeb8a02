"""How a person may be reached: preferences, quiet hours, and what permits a message."""
