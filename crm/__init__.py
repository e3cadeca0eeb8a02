"""CRM: the conventional domain, the system of record."""
