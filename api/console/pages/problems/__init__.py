"""The first tab of an import: groups of failed rows, rows as a table, and what mends them."""
