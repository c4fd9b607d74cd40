"""Plugins: found, loaded, checked and configured, and their sample files."""
