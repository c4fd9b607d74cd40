"""A chunk's rows: stored, laid out, and read from cells to values."""
