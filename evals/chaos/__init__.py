"""Kills everything, over and over, while people enrol: all must end whole."""
