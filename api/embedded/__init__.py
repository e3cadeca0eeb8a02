"""PostgreSQL and Valkey for a machine that has neither: started, supervised and stopped by us."""
