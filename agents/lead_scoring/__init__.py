"""The lead-scoring agent: turns a change of a score into something an advisor can do."""
