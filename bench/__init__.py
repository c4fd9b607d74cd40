"""Measures Caseroll: each scenario is a file; `python -m bench` runs them and prints one table."""
