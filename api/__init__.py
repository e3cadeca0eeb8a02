"""API: HTTP, worker, command line and the one composition root."""
