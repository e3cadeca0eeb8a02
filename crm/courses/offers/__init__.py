"""What one may enrol in now, for whoever looks around."""
