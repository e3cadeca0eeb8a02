"""Measures the recommender on enrolments in online courses that are not ours."""
