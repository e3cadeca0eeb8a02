"""Courses: the catalogue, its cohorts and seats, programmes, scholarships and discounts."""
