"""How fast people look around in a large catalogue."""
