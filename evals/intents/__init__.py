"""Measures whether the assistant understands what students want."""
