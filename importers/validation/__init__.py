"""Validators asked about effects, of rows and of mutations: what they see, and how they answer."""
