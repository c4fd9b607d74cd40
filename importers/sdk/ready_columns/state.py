"""The column of one of two states."""

from __future__ import annotations

from typing import Any

from importers.sdk.columns import Column, flag_of
from importers.sdk.errors import RowError, shorten


class State(Column[bool]):
    """One of two states: `0` for the one, `1` for the other, or their names, or any word of a
    `Flag`; the value is True for `1`.

    Args:
        off: the name of 0 in messages.
        on: the name of 1.

    Example:
        >>> State(off="closed", on="active").read("0")
        False
    """

    choices = ("0", "1")

    def __init__(self, *, off: str, on: str, **options: Any) -> None:
        super().__init__(**options)
        self.off = off
        self.on = on

    def parse(self, text: str) -> bool:
        """Read the number, or the word."""
        states = {self.off.lower(): False, self.on.lower(): True}
        state = states.get(text.lower(), flag_of(text))
        if state is None:
            template = "'{text}' is not 0 ({off}) or 1 ({on})."
            shown = shorten(text)
            raise RowError(None, "INVALID_FLAG", template, text=shown, off=self.off, on=self.on)
        return state
