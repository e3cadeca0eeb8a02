"""Activities: what happened with a person, in the order of time."""
