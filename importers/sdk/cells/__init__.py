"""What texts of cells look like: days, marks of spreadsheets, and what was probably meant."""
