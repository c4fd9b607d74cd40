"""Plugins' code, interrupted when it is late, and counted when it ends its worker."""
