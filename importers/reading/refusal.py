"""Errors that refuse a file, with or without the number of the row at fault."""

from __future__ import annotations

from importers.sdk.errors import ErrorDetail, FileRefusedError, printable


def refusal(code: str, message: str, *, value: str | None = None) -> FileRefusedError:
    """Make the error that refuses a file for one reason.

    Quotations from the file are made printable: PostgreSQL could not even store a NUL.
    """
    detail = ErrorDetail(
        code=code, message=printable(message), value=None if value is None else printable(value)
    )
    return FileRefusedError([detail])


def warning(code: str, message: str) -> ErrorDetail:
    """Make a warning about a file that is read all the same."""
    return ErrorDetail(code=code, message=printable(message))


class BadRecordError(Exception):
    """The row being read refuses the file; only the caller knows the row's number.

    Args:
        code: stable, upper-case name of the kind of error.
        message: what is wrong and what to do, with `{row}` where the number goes.
        value: the text at fault.
    """

    def __init__(self, code: str, message: str, *, value: str | None = None) -> None:
        self.code = code
        self.message = message
        self.value = value
        super().__init__(message)

    def at(self, row: int) -> FileRefusedError:
        return refusal(self.code, self.message.replace("{row}", str(row)), value=self.value)
