"""Undoing an import: its changes as the rows of another import, which does the opposite."""
