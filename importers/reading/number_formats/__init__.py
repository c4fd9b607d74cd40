"""Shows numbers, dates and texts as the number formats of spreadsheets do."""
