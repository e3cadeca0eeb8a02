"""Exports: everything of a kind as rows, in the columns that an import reads back."""
