"""Search in 100,000 made-up passages: how exact, how fast, and beside whom."""
