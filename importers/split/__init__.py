"""From a stored file, or rows that failed, to chunks."""
