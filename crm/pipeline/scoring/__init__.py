"""Scores of leads: a contact priority, explained, and nothing else."""
