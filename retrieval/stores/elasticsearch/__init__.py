"""The index in Elasticsearch: a projection of PostgreSQL, which stays the truth."""
