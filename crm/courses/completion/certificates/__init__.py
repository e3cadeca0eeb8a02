"""Certificates: issued on completion, checked by anybody, revoked by staff."""
