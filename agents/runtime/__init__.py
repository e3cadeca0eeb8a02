"""The turn engine and what every agent's graph is made of."""
