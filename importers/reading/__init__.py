"""Reads a file's bytes into rows of cells; knows nothing of importers or of what cells mean."""
