"""A made-up law firm to try Caseroll on."""
