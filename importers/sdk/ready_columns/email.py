"""The column of e-mail addresses."""

from __future__ import annotations

from importers.sdk.cells.formats import is_email
from importers.sdk.cells.meant import addresses_in
from importers.sdk.cells.wrong_cell import wrong_form
from importers.sdk.columns import Column, keyed_by, only_checks


class Email(Column[str]):
    """An e-mail address; two that differ only in capitals are the same.

    To refer to a user by address there is `UserRef`.

    Example:
        >>> Email(required=True).read(" Jo@example.org ")
        'Jo@example.org'
    """

    _specimen_cells = ("kit@example.org", "KIT@example.org", "other@example.org")

    @only_checks
    def parse(self, text: str) -> str:
        """Check the address."""
        if not is_email(text):
            found = addresses_in(text)
            fault = "holds several e-mail addresses; write one of them"
            if len(found) < 2:
                fault = "'{text}' is not an e-mail address"
            raise wrong_form("INVALID_EMAIL", fault, text, found[0] if len(found) == 1 else None)
        return text

    @keyed_by(str.lower)
    def group_key(self, value: str) -> str:
        """Return it without capitals."""
        return value.lower()
