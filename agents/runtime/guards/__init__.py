"""What is checked before a model hears a student, and before a student hears a model."""
