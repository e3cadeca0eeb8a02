"""Fetches pages from named hosts at public addresses, as their robots.txt allows."""
