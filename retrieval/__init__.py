"""Retrieval: ingest, chunk, embed, store, fuse and search knowledge and courses."""
