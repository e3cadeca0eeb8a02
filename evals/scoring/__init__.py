"""How well scores are trained, on leads of another seller whose outcome is known."""
