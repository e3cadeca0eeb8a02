"""Tasks: what somebody has to do for a person, and by when."""
