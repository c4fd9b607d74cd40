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
    told = [_told(noun, name, value) for name, value in other.items()]
    template = (
        "a {noun} has this " + what + " already, with " + " and ".join(part for part, _ in told)
    )
    advice = "." if "email" in other else "; to change that, use a file of type modify-{noun}s."
    stored = {name: shown for name, (_, shown) in zip(other, told, strict=True)}
    return RowError(None, code, template + advice, noun=noun, **stored)


def _told(noun: str, name: str, value: object) -> tuple[str, str]:
    """Return the part of a template that tells a stored value, and how it is shown."""
    if name == "is_active":
        off = "closed" if noun == "case" else "disabled"
        return "the status {is_active}", "active" if value else off
    field = _FIELDS.get(name, name.replace("_", " "))
    if value in (None, ""):
        return "no " + field, ""
    return "the " + field + " '{" + name + "}'", shorten(str(value), 60)


def tag_error(
    wanted: str | None, present: str | None, owner: Mapping[str, Any] | None
) -> RowError | None:
    """Refuse a Tag ID for a user who has another one, or that another user has."""
    if wanted is None or wanted == present:
        return None
    if present is not None:
        template = "the user has the Tag ID '{tag}', and one that is set stays."
        return RowError(None, "TAG_PERMANENT", template, tag=present)
    return RowError(None, "TAG_TAKEN", "another user has this Tag ID.") if owner else None


def similar_tag(
    noun: str, tag_id: str | None, twins: Mapping[str, str]
) -> tuple[tuple[object, RowError], ...]:
    """Warn of a new Tag ID that is much like another."""
    twin = twins.get(tag_id or "")
    if twin is None:
        return ()
    template = "a {noun} has the Tag ID '{tag}', which differs from this one only in capitals,"
    template += " punctuation or zeros; is it the same one?"
    return ((tag_id, RowError(None, "SIMILAR_TAG", template, noun=noun, tag=twin)),)
