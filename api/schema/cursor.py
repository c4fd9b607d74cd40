"""Cursors: opaque marks of places in a list."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from api.errors import ApiError

if TYPE_CHECKING:
    from models.page import Listing

_LARGEST_KEY = 2**63 - 1


def write_cursor(listing: Listing, key: int) -> str:
    """Mark the place of a key in a list."""
    return base64.urlsafe_b64encode(f"{listing.name}:{key}".encode()).decode()


def read_cursor(listing: Listing, cursor: str | None) -> int | None:
    """Return the key at which a cursor stands, if one is given.

    Raises:
        ApiError: it is not one of this list.
    """
    if cursor is None:
        return None
    try:
        name, _, digits = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except (binascii.Error, UnicodeError):
        name, digits = "", ""
    is_ours = name == listing.name and digits.isascii() and digits.isdigit()
    if not is_ours or len(digits) > 19 or int(digits) > _LARGEST_KEY:
        raise ApiError("BAD_CURSOR", "This is not a cursor of this list.")
    return int(digits)
