"""Every list and detail of the staff API over 100,000 made-up students."""
