"""Reads files in child processes, which may crash without harm: workbooks, and files of plugins."""
