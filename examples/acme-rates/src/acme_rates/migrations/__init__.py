"""Migrations of Acme's own tables, applied in the order of their names."""
