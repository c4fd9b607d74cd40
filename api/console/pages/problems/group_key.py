"""Kinds of problems in addresses, forms and cookies: what the failed rows of a group share."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


class GroupKey(NamedTuple):
    """What the errors of a group have in common; None is an error without it."""

    code: str
    column: str | None
    value: str | None

    @classmethod
    def of(cls, error: Mapping[str, Any]) -> GroupKey:
        """Return the group that an error belongs to."""
        return cls(error["code"], error["column"], error["value"])

    def encode(self) -> str:
        """Write it as a parameter of an address."""
        return urlsafe_b64encode(orjson.dumps(list(self))).decode().rstrip("=")

    def mark(self) -> str:
        """Hash it for a cookie, which has little room."""
        return hashlib.sha256(orjson.dumps(list(self))).hexdigest()[:10]

    def row_filter(self) -> dict[str, Any]:
        """Return the arguments of `rows` that find its rows.

        They can't ask for an error without a column or value; rows with one are found as well.
        """
        return {
            "code": [self.code],
            "column": None if self.column is None else [self.column],
            "value": self.value,
        }


def decode_group(text: str | None) -> GroupKey | None:
    """Read what `GroupKey.encode` has written; None for anything else.

    Example:
        >>> decode_group(GroupKey("REQUIRED", "case_id", None).encode())
        GroupKey(code='REQUIRED', column='case_id', value=None)
        >>> decode_group("nonsense") is None
        True
    """
    if not text:
        return None
    try:
        code, column, value = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        return None
    is_key = isinstance(code, str) and all(
        each is None or isinstance(each, str) for each in (column, value)
    )
    return GroupKey(code, column, value) if is_key else None
