"""Identity: staff accounts and what each may do, and the verification of students."""
