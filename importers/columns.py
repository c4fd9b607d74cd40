"""Columns of a file, and how each reads a cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from importers.errors import RowError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_CELL = 10_000


class Column(Generic[T]):
    """A column of text, and the base of all others.

    The attribute's name is the column's name in the file. Subclasses override `parse`.

    Args:
        required: a blank cell, or a file without the column, is an error.
        default: the value of a blank cell.
        help: one sentence for the person who fills the file in.
        example: the cell of this column in the sample file.
        in_sample: whether the sample file has the column.
        is_key: rows with the same cell are about the same thing, and judged together; for columns
            that `OwnChange.keys` are made of.
        longest: how many characters a cell may have.

    Example:
        >>> class Floor(Column[int]):
        ...     def parse(self, text: str) -> int:
        ...         if not text.isdecimal():
        ...             raise RowError(None, "NOT_A_FLOOR", f"'{text}' is not a floor.")
        ...         return int(text)
    """

    choices: ClassVar[Sequence[str] | None] = None

    def __init__(
        self,
        *,
        required: bool = False,
        default: T | None = None,
        help: str = "",  # noqa: A002 - the word that plugin authors expect
        example: str | None = None,
        in_sample: bool = True,
        is_key: bool = False,
        longest: int = _LONGEST_CELL,
    ) -> None:
        self.name = ""
        self.required = required
        self.default = default
        self.help = help
        self.example = example
        self.in_sample = in_sample
        self.is_key = is_key
        self.longest = longest

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def label(self) -> str:
        """The name as messages write it: `case_id` is "Case Id"."""
        return self.name.replace("_", " ").title()

    def read(self, cell: str) -> T | None:
        """Check a cell as every column does, then parse it.

        Raises:
            RowError: the cell can't be read; its column is filled in by the engine.
        """
        text = cell.strip()
        if not text:
            if self.required:
                raise RowError(None, "REQUIRED", "is required.")
            return self.default
        if len(text) > self.longest:
            raise RowError(
                None,
                "TOO_LONG",
                f"has {len(text):,} characters; the limit is {self.longest:,}.",
            )
        if found := _CONTROL.search(text):
            name = _control_name(found[0])
            raise RowError(None, "CONTROL_CHARACTER", f"contains {name}; take it out.")
        return self.parse(text)

    def parse(self, text: str) -> T:
        """Turn the trimmed, non-blank text of a cell into the row's value.

        Raises:
            RowError: with None as its column.
        """
        return text  # type: ignore[return-value]  # Column[str] is the base's own use

    def group_key(self, value: T) -> str:
        """Name a value in one way only, whichever cell it was read from; of use with `is_key`."""
        return str(value)

    def choices_for(self, roles: Sequence[str]) -> Sequence[str] | None:
        """List what a cell may hold, if that is a list.

        Args:
            roles: the keys of the app's roles.
        """
        return self.choices


class Blank(Column[None]):
    """A column that files carry and that must be left blank."""

    def parse(self, text: str) -> None:
        """Refuse every text."""
        raise RowError(None, "NOT_BLANK", "leave this cell blank.")


class Flag(Column[bool]):
    """Yes or no: `1` or `0`, also `true`, `false`, `yes`, `no` in any case."""

    choices = ("0", "1")
    _WORDS: ClassVar[Mapping[str, bool]] = {
        "0": False,
        "1": True,
        "false": False,
        "true": True,
        "no": False,
        "yes": True,
    }

    def parse(self, text: str) -> bool:
        """Read the word."""
        value = self._WORDS.get(text.lower())
        if value is None:
            raise RowError(None, "INVALID_FLAG", f"'{shorten(text)}' is not 0 (no) or 1 (yes).")
        return value


def shorten(text: str, longest: int = 100) -> str:
    """Cut a cell for a message."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _control_name(character: str) -> str:
    names: dict[str, Literal["a line break", "a tab"]] = {
        "\n": "a line break",
        "\r": "a line break",
        "\t": "a tab",
    }
    return names.get(character, f"the control character U+{ord(character):04X}")
