"""Intents: what shall be asked of a gateway, claimed, acted on and closed."""
