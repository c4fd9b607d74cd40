"""Tortoise models and the set-based SQL: the only layer that talks to the database."""
