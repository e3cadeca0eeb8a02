"""The graph that every student's message goes through, and the table of agents behind it."""
