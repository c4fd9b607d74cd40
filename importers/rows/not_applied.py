"""Why rows fail that are right themselves: the import is all or nothing, or was cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.sdk.errors import ErrorDetail
from models.row import RowStatus

if TYPE_CHECKING:
    from models.progress import ImportWork

NOT_APPLIED = ErrorDetail.of(
    "NOT_APPLIED",
    "This row is right, and was not applied: the import is all or nothing, and other rows have"
    " failed.",
)
_NOT_RUN_AGAIN = ErrorDetail.of(
    "NOT_APPLIED", "This row was to be run again, and was not: the import was cancelled."
)


def cancelled_as(work: ImportWork) -> tuple[RowStatus, ErrorDetail | None]:
    """Say what becomes of planned rows that a cancel leaves untouched.

    Those of a retry have failed before, and stay so, to be retried again.

    Returns:
        also the error of rows that fail.
    """
    return (RowStatus.CANCELLED, None) if work.retry is None else (RowStatus.FAILED, _NOT_RUN_AGAIN)
