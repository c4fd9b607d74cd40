"""Objects of a list read column by column, instead of one by one; knows no type of the schema."""
