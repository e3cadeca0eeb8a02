"""Assignment: which advisor looks after a lead."""
