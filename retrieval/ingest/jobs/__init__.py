"""Ingests in the background: what they are, where their files come from, who runs them."""
