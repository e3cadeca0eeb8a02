"""Evals: suites, scorers and benchmarks that measure the agents."""
