"""Errors that refuse a file, with or without the number of the row at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.sdk.errors import ErrorDetail, FileRefusedError, printable

if TYPE_CHECKING:
    from importers.reading.limits import Limits


def refusal(
    code: str, template: str, *, value: str | None = None, **params: Any
) -> FileRefusedError:
    """Make the error that refuses a file for one reason.

    Quotations from the file are made printable: PostgreSQL could not even store a NUL.

    Args:
        template: what is wrong and what to do, with a name in braces for each of the params.
        params: texts and whole numbers.
    """
    shown = None if value is None else printable(value)
    return FileRefusedError([ErrorDetail.of(code, template, value=shown, **params)])


def damaged_workbook(reason: str = "") -> FileRefusedError:
    """Refuse a workbook that can't be read, with the reason if it is known."""
    template = "The workbook can't be read; it seems to be damaged" + (" ({reason})" * bool(reason))
    template += ". Open it in a spreadsheet program and save it again, or save it as CSV UTF-8."
    return refusal("DAMAGED_WORKBOOK", template, **({"reason": reason} if reason else {}))


def too_many_columns(row: int, count: int, limits: Limits) -> FileRefusedError:
    """Refuse a file for a row of too many cells that have a value, or names."""
    return refusal(
        "TOO_MANY_COLUMNS",
        "Row {row} has {count:,} columns, and {limit} are the most that a file may have. Remove "
        "those that are not needed.",
        row=row,
        count=count,
        limit=limits.max_columns,
    )


class BadRecordError(Exception):
    """The row being read refuses the file; only the caller knows the row's number.

    Args:
        code: stable, upper-case name of the kind of error.
        template: what is wrong and what to do, with `{row}` where the number goes.
        value: the text at fault.
        params: what else stands in braces.
    """

    def __init__(
        self, code: str, template: str, *, value: str | None = None, **params: Any
    ) -> None:
        self.code = code
        self.template = template
        self.value = value
        self.params = params
        super().__init__(template)

    def at(self, row: int) -> FileRefusedError:
        return refusal(self.code, self.template, value=self.value, row=row, **self.params)
