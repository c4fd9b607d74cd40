"""The importers that come with Caseroll, written on the public SDK alone."""
