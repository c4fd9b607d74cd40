"""A chunk's rows: how they are stored, laid out, and read from cells to values; no changes yet."""
