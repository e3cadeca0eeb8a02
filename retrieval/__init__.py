"""Finds passages of courses and knowledge: ingest, embed, store, fuse."""
