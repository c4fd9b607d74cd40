"""Imports, their rows, types and plugins as the schema shows them."""
