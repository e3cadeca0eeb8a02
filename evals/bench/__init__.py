"""Benchmarks: figures beside those of a peer, taken in the same run."""
