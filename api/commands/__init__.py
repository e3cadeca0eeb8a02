"""The verbs of the `orienta` command, one a module."""
