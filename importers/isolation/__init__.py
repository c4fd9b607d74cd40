"""Plugins' code: interrupted when it takes too long, and counted when it ends its worker."""
