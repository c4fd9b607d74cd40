"""Plugins: found, loaded, checked and configured."""
