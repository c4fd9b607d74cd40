"""Records of plugins' own tables: how a class declares a table, and changes of its records."""
