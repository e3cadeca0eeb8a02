"""Records that may be of one and the same person: found, suggested, dismissed."""
