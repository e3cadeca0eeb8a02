"""The agent that answers students: courses, rules, their own affairs, and the way to a person."""
