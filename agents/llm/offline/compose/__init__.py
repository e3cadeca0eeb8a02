"""Puts results into words: templates and quotations, one file a subject."""
