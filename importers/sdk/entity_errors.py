"""What is wrong with changes of users and cases, given what is stored, and what may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from importers.sdk.errors import RowError, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = {
    "tag_id": "Tag ID",
    "email": "e-mail address",
    "locale": "language",
    "zoneinfo": "time zone",
    "about": "description",
    "date_opened": "day of opening",
}


def differ(stored: object, value: object) -> bool:
    """Compare a stored value with a file's, which is in the Unicode form NFC."""
    if isinstance(stored, str) and isinstance(value, str) and not stored.isascii():
        return normalize("NFC", stored) != normalize("NFC", value)
    return stored != value


def taken_error(code: str, noun: str, what: str, other: Mapping[str, object]) -> RowError:
    """Say that something has the address or the Tag ID, and what is different about it."""
    details = " and ".join(_told(noun, name, value) for name, value in other.items())
    message = f"a {noun} has this {what} already, with {details}"
    advice = "" if "email" in other else f"; to change that, use a file of type modify-{noun}s"
    return RowError(None, code, f"{message}{advice}.")


def _told(noun: str, name: str, value: object) -> str:
    if name == "is_active":
        off = "closed" if noun == "case" else "disabled"
        return f"the status {'active' if value else off}"
    field = _FIELDS.get(name, name.replace("_", " "))
    return f"no {field}" if value in (None, "") else f"the {field} '{shorten(str(value), 60)}'"


def tag_error(
    wanted: str | None, present: str | None, owner: Mapping[str, Any] | None
) -> RowError | None:
    """Refuse a Tag ID for a user who has another one, or that another user has."""
    if wanted is None or wanted == present:
        return None
    if present is not None:
        message = f"the user has the Tag ID '{present}', and one that is set stays."
        return RowError(None, "TAG_PERMANENT", message)
    return RowError(None, "TAG_TAKEN", "another user has this Tag ID.") if owner else None


def similar_tag(
    noun: str, tag_id: str | None, twins: Mapping[str, str]
) -> tuple[tuple[object, RowError], ...]:
    """Warn of a new Tag ID that is much like another."""
    twin = twins.get(tag_id or "")
    if twin is None:
        return ()
    message = f"a {noun} has the Tag ID '{twin}', which differs from this one only in capitals,"
    warning = RowError(None, "SIMILAR_TAG", f"{message} punctuation or zeros; is it the same one?")
    return ((tag_id, warning),)
