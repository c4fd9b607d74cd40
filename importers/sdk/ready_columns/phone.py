"""The column of phone numbers."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from importers.sdk.cells.phone_number import is_region, read_phone
from importers.sdk.columns import Column
from importers.sdk.errors import ConfigError


class Phone(Column[str]):
    """A phone number; the value is the number in the form E.164, such as `+49301234567`.

    A cell may have spaces, hyphens, points, slashes and brackets, `00` for `+`, and `(0)` behind a
    country code. Without a country code it is a number of the column's region, written as it is
    dialled there: with its area code, and with the `0` that it begins with. Extensions fail.

    The package phonenumbers knows which numbers there can be: `pip install caseroll[phone]`.

    Args:
        region: the country of numbers without a country code, such as `DE`; without it, such
            numbers fail.

    Example:
        >>> Phone(region="DE").read("030 / 123 45 67")
        '+49301234567'
    """

    _specimen_cells = ("+1 202 555 0123", "+12025550123", "+49 (0)30 1234567")

    def __init__(self, *, region: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        if find_spec("phonenumbers") is None:
            needed = "which is not installed: install caseroll[phone]"
            raise ConfigError(
                [f"a column of phone numbers needs the package phonenumbers, {needed}"]
            )
        if region is not None and not is_region(region):
            raise ConfigError(
                [f"a phone's region is a country's code, such as 'DE', not {region!r:.80}"]
            )
        self._region = region

    def _is_exact(self) -> bool:
        return True

    def parse(self, text: str) -> str:
        """Read the number."""
        return read_phone(text, self._region)
