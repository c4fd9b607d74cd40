"""The schema of what imports change, of what follows, and of plans that are applied or undone."""
