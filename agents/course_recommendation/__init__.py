"""The agent that advises students on what to study next."""
