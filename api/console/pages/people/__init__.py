"""The screens of who is on which case: assignments, users, cases, and their history."""
