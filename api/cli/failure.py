"""What a failed command says, and its exit code."""

from __future__ import annotations

import asyncpg

from importers.sdk.errors import CaserollError, ConfigError


class RefusedError(CaserollError):
    """The command can't do what was asked; the message says why and what to do."""


def describe(error: Exception) -> list[str]:
    """Return what to tell the user, one line a problem."""
    if isinstance(error, ConfigError):
        return list(error.problems)
    if isinstance(error, CaserollError):
        return [str(error)]
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        return [f"the database says: {error}"]
    if isinstance(error, OSError):
        return [str(error)]
    kind = type(error).__name__
    return [f"{kind}: {error} (a bug in Caseroll; `caseroll --debug …` shows where)"]
