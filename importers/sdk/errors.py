"""What can be wrong, in three families by what the host does about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


# PostgreSQL has no text with these: NUL, and halves of surrogate pairs.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetail:
    """One thing that is wrong with a file or a row, in the shape that clients see.

    Args:
        code: stable, upper-case name of the kind of error, e.g. `CASE_CLOSED`.
        message: a sentence for the admin, beginning with the column's label when there is one.
        column: the column's name; None for an error of the whole row or file.
        value: the offending cell, shortened to 100 characters.
        suggestion: what the admin probably meant.
    """

    code: str
    message: str
    column: str | None = None
    value: str | None = None
    suggestion: str | None = None


class CaserollError(Exception):
    """Root of every error that Caseroll raises on purpose."""


class ConfigError(CaserollError):
    """Do not start: the settings or the plugins are wrong.

    Args:
        problems: every problem found, one sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class RowError(CaserollError):
    """What is wrong with a row: it is written on the row, which fails, and the import goes on.

    Raised by `Importer.change`, `Column.parse` and `Validator.check`, and handed over by
    `Importer.check_chunk`, `Reference.unknown` and `Refused`.

    Args:
        column: name of the column at fault, or None for the whole row. None in a column, which the
            engine knows; a field of the change in a validator.
        code: stable, upper-case name of the kind of error.
        message: what is wrong and what to do, in a sentence: its rest, in lower case, if there is a
            column, as the column's label is put before it.
        suggestion: what the cell should probably hold.

    Example:
        >>> raise RowError("seat", "SEAT_TAKEN", "seat 12 is taken.")
        Traceback (most recent call last):
        ...
        importers.sdk.errors.RowError: seat 12 is taken.
    """

    def __init__(
        self, column: str | None, code: str, message: str, suggestion: str | None = None
    ) -> None:
        given = (column, code, message, suggestion)
        if not all(map(isinstance, given, (str | None, str, str, str | None))):
            raise TypeError(f"RowError takes texts, not {given!r:.200}")
        self.column = column and storable(column)
        self.code = storable(code)
        self.message = storable(message)
        self.suggestion = suggestion and storable(suggestion)
        super().__init__(message)


class RunError(CaserollError):
    """Stop this run."""


class RetryableError(RunError):
    """Stop this run; the same run may work later (a deadlock, a lost connection)."""


class FileRefusedError(RunError):
    """The file can't be imported; nothing of it is applied.

    Args:
        errors: every reason, in the order in which an admin should mend them.
    """

    def __init__(self, errors: Iterable[ErrorDetail]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.message for error in self.errors))


def storable(text: str) -> str:
    """Return a text with a mark in place of each character that can't be stored."""
    return _NOT_STORABLE.sub("\ufffd", text)
