"""Erasure: a person's keys are destroyed and what is written of them in the clear is removed."""
