"""What advice on courses stands on: what a person took, can and wants, and what they refused."""
