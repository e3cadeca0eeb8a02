"""Dunning: reminders of what is due, to those who may be reminded and to nobody else."""
