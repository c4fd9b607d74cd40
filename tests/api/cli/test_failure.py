"""Errors as the command line prints them."""

from __future__ import annotations

import asyncpg
import pytest

from api.cli.failure import RefusedError, describe
from importers.sdk.errors import ConfigError


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        pytest.param(ConfigError(["One.", "Two."]), ["One.", "Two."], id="settings"),
        pytest.param(RefusedError("No such app."), ["No such app."], id="refused"),
        pytest.param(OSError(28, "No space left"), ["[Errno 28] No space left"], id="disk"),
        pytest.param(
            asyncpg.InvalidPasswordError("wrong password"),
            ["the database says: wrong password"],
            id="database",
        ),
        pytest.param(
            KeyError("x"),
            ["KeyError: 'x' (a bug in Caseroll; `caseroll --debug …` shows where)"],
            id="bug",
        ),
    ],
)
def test_describe(error: Exception, lines: list[str]) -> None:
    """Every error becomes plain lines; only a bug says that it is one."""
    assert describe(error) == lines
