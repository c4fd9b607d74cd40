"""What clients entered wrongly: all of it, collected instead of stopping at the first."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TypeVar

import strawberry

from api.language import translator
from importers.sdk.cells.formats import is_email, is_locale, is_tag, is_zone, locale_named

if TYPE_CHECKING:
    from importers.sdk.errors import Params

T = TypeVar("T")


@strawberry.type(description="Something that was wrong with the input; nothing has been done.")
class UserError:
    code: str = strawberry.field(
        description="Stable, upper-case name of the kind of error, for programs."
    )
    message: str = strawberry.field(description="A sentence for the person who gave the input.")
    field: list[str] | None = strawberry.field(
        description="Path of the argument or input field at fault, e.g. `input`, `name`."
    )


def user_error(code: str, message: str, *field: str, params: Params | None = None) -> UserError:
    """Make an error about one input field, in the language of the request.

    Args:
        message: in English.
        field: the field's path.
        params: what a plugin has made the message of.
    """
    message = translator().error({"code": code, "message": message, "params": params})
    return UserError(code=code, message=message, field=list(field) or None)


def given(value: T | None) -> T | None:
    """Return what the client gave; None for null and for what was left out."""
    return None if value is strawberry.UNSET else value


class InputErrors:
    """Reads the fields of an input and collects what is wrong with them.

    Each method returns the value to store, and adds an error to `found` if there is one.
    """

    def __init__(self) -> None:
        self.found: list[UserError] = []

    def add(self, code: str, field: str, message: str) -> None:
        self.found.append(user_error(code, message, "input", field))

    def text(
        self,
        field: str,
        value: str | None,
        *,
        longest: int,
        required: bool = False,
        has_lines: bool = False,
    ) -> str:
        """Read a text, in the Unicode form of files; some texts may have lines."""
        text = unicodedata.normalize("NFC", (value or "").strip())
        if has_lines:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if required and not text:
            self.add("REQUIRED", field, "This can't be blank.")
        if len(text) > longest:
            self.add("TOO_LONG", field, f"{len(text):,} characters are too many; {longest:,} fit.")
        # Cs are halves of surrogate pairs, which JSON may hold and PostgreSQL can't store.
        letters = text.replace("\n", "") if has_lines else text
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in letters):
            self.add("CONTROL_CHARACTER", field, "This can't hold control characters.")
        return text

    def present(self, field: str, value: T | None) -> T | None:
        if value is None:
            self.add("REQUIRED", field, "This can't be null; leave it out to keep what is there.")
        return value

    def tag(self, value: str | None) -> str | None:
        text = (value or "").strip()
        if text and not is_tag(text):
            self.add(
                "INVALID_TAG",
                "tagId",
                "A Tag ID has letters, digits, '-', '/' and '_', up to 64 of them.",
            )
        return text or None

    def email(self, value: str) -> str:
        text = value.strip()
        if not is_email(text):
            self.add("INVALID_EMAIL", "email", "This is not an e-mail address.")
        return text

    def locale(self, value: str | None) -> str | None:
        """Read a language tag; `sp`, which many files have, is Spanish."""
        text = (value or "").strip()
        if text and not is_locale(text):
            self.add(
                "INVALID_LOCALE", "locale", "A locale is a BCP 47 tag, such as 'en' or 'es-MX'."
            )
        return locale_named(text) or None

    def zoneinfo(self, value: str | None) -> str | None:
        text = (value or "").strip()
        if text and not is_zone(text):
            self.add(
                "INVALID_ZONEINFO",
                "zoneinfo",
                "A time zone is an IANA name, such as 'America/New_York'.",
            )
        return text or None
