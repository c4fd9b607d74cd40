"""Columns that are ready: a module for each form that cells have, and for lists of choices."""
