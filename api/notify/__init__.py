"""Telling people that something has happened, outside the API."""
