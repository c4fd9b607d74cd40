"""Reading files: from bytes to rows of cells, whatever these mean."""
