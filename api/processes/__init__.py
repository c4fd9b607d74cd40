"""Processes that are started, watched and stopped, and the embedded servers."""
