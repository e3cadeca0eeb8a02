"""Next actions: what an advisor might do next, for whom, why, and by when."""
