"""Turns: what is to be answered, by whom, and what a run has done."""
