"""A file's refusal, made in one line, or where only the reader of rows knows the row."""

from __future__ import annotations

from importers.sdk.errors import ErrorDetail, FileRefusedError


def refusal(code: str, message: str, *, value: str | None = None) -> FileRefusedError:
    """Make the error that refuses a file for one reason.

    What it quotes of the file is made printable: a NUL in it could not even be stored.
    """
    detail = ErrorDetail(
        code=code, message=_printable(message), value=None if value is None else _printable(value)
    )
    return FileRefusedError([detail])


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class BadRecordError(Exception):
    """What refuses the file, in the row being read, whose number only the caller knows.

    Args:
        code: stable, upper-case name of the kind of error.
        message: what is wrong and what to do, with `{row}` where the number goes.
        value: what is at fault.
    """

    def __init__(self, code: str, message: str, *, value: str | None = None) -> None:
        self.code = code
        self.message = message
        self.value = value
        super().__init__(message)

    def at(self, row: int) -> FileRefusedError:
        """Return the refusal that names this row."""
        return refusal(self.code, self.message.replace("{row}", str(row)), value=self.value)
