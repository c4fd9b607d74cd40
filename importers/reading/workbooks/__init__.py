"""Reads Excel and OpenDocument workbooks, each cell as its sheet shows it."""
