"""Running importers in memory, for the tests of plugins."""
