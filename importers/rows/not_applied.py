"""Why rows fail that are right themselves: the import is all or nothing."""

from __future__ import annotations

from importers.sdk.errors import ErrorDetail

NOT_APPLIED = ErrorDetail.of(
    "NOT_APPLIED",
    "This row is right, and was not applied: the import is all or nothing, and other rows have"
    " failed.",
)
