"""Language models: which there are, and how one is kept from taking a turn down with it."""
