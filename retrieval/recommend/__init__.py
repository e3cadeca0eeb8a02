"""Ranks courses for a person from what others took, what courses say, and what is liked."""
