"""The pipeline: who is interested in what, how far they are, and what happened on the way."""
