"""Applications for scholarships: requested by students, awarded or declined by staff."""
