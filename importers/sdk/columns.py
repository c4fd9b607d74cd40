"""Columns of a file, and how each reads a cell.

What the engine and the conformance kit know of a kind of column, they ask the column. A new kind is
a class that overrides `parse` and, where the defaults do not fit, `group_key` and these:

- `_is_free_text`: whether cells are text for people, kept as NFC, which may have line breaks.
- `observe` and `knowing`: what cells show of how to read the others of a file.
- `_may_name`, of references: the nouns of what a cell may name, `case`, `user`, both or neither.
- `_with_settings`: the column as the plugin's settings make it.
- `_separator`: what stands between several choices of a cell.
- `_key_space`: what its group keys name, when columns of other kinds name the same.
- `_specimen_cells`, or `_specimens` where they depend on more: cells that the conformance kit
  tries, beside variants of the example.
- `@only_trims` or `@only_checks` on `parse`, and `@keyed_by` on `group_key`: how the engine takes
  many cells at once. They mark the function itself, so that a subclass that overrides it is right,
  only slower, until its own function is marked.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from unicodedata import is_normalized, normalize

from importers.sdk.cell_note import CellNote, Holds, has_notes, note_of, shown_text
from importers.sdk.cells.spreadsheet import (
    ERROR_STARTS,
    formula_error,
    is_error_value,
    spreadsheet_damage,
    struck_out,
)
from importers.sdk.errors import RowError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Self

    from importers.sdk.entities import Case, User

T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")

# What no cell may have, and the same but for line breaks.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ufffd]")
_CONTROL_NAMES = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}
_FLAGS = {
    **dict.fromkeys(("1", "1.0", "true", "t", "yes", "y"), True),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n"), False),
}
_LONGEST_CELL = 10_000

_ONLY_TRIMS: set[Callable[..., Any]] = set()
_ONLY_CHECKS: set[Callable[..., Any]] = set()
_KEYED_BY: dict[Callable[..., Any], Callable[[str], str]] = {}


# What programs and web pages put beside a name: byte order marks, zero-width spaces, directions.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@cache
def _label_of(name: str) -> str:
    return name.replace("_", " ").title()


def column_name(name: str) -> str:
    """Return the column that a name in a header means.

    Example:
        >>> column_name(" Case-ID\\u200b ")
        'case_id'
    """
    return re.sub(r"[\s-]", "_", _INVISIBLE.sub("", name).strip().lower())


def only_trims(parse: F) -> F:
    """Mark a `parse` that returns every text as it is."""
    _ONLY_TRIMS.add(parse)
    return only_checks(parse)


def only_checks(parse: F) -> F:
    """Mark a `parse` that returns a text as it is, or raises."""
    _ONLY_CHECKS.add(parse)
    return parse


def keyed_by(function: Callable[[str], str]) -> Callable[[F], F]:
    """Mark a `group_key` that is the same as a function of the value, if that is a text."""

    def mark(group_key: F) -> F:
        _KEYED_BY[group_key] = function
        return group_key

    return mark


class Column(Generic[T]):
    """A column of text, and the base of all others.

    The attribute's name is the column's name in the file, in any case and order, unless `header`
    gives it another one. A subclass that overrides `parse` is a column of another kind.

    Args:
        header: the column's name in the file, free of Python's rules for names, or several, by any
            of which it is known; the sample file has the first. Capitals make no difference, and a
            space or hyphen is the same as `_`.
        required: a file without the column is refused, a row with a blank cell in it fails.
        default: the row's value when the cell is blank, or the file has no such column.
        help: one sentence for the person who fills the file in.
        example: the cell of this column in the sample file.
        in_sample: whether the sample file has the column.
        is_key: rows with the same cell are about the same thing, and judged together, in the order
            of the file. Columns that `OwnChange.keys` are made of need it.
        longest: how many characters a cell may have; a longer one fails.

    Example:
        >>> class Floor(Column[int]):
        ...     def parse(self, text: str) -> int:
        ...         if not (text.isascii() and text.isdigit() and len(text) < 4):
        ...             raise RowError(None, "NOT_A_FLOOR", "is not the number of a floor.")
        ...         return int(text)
        >>> Floor().read(" 12 ")
        12
    """

    name: str
    """The attribute's name, by which rows have the value."""

    headers: Sequence[str]
    """The names in files that `header` gives; none if the attribute's name is the one."""

    choices: ClassVar[Sequence[str] | None] = None
    """What a cell may hold, for menus, if that is a list."""

    _key_space: ClassVar[str] = ""
    _specimen_cells: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        *,
        header: str | Sequence[str] = (),
        required: bool = False,
        default: T | None = None,
        help: str = "",  # noqa: A002 - the word that plugin authors expect
        example: str | None = None,
        in_sample: bool = True,
        is_key: bool = False,
        longest: int = _LONGEST_CELL,
    ) -> None:
        self.name = ""
        self.headers = (header,) if isinstance(header, str) else tuple(header)
        self.required = required
        self.default = default
        self.help = help
        self.example = example
        self.in_sample = in_sample
        self.is_key = is_key
        self.longest = longest
        self._is_free = self._is_free_text()

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def label(self) -> str:
        """The name as messages write it: `case_id` is "Case Id"."""
        return self.headers[0] if self.headers else _label_of(self.name)

    @property
    def header(self) -> str:
        """The name in the sample file."""
        return self.headers[0] if self.headers else self.name

    @property
    def public_name(self) -> str:
        """The name by which clients know the column, and that its errors have."""
        return column_name(self.headers[0]) if self.headers else self.name

    def read(self, cell: str) -> T | None:
        """Check a cell as every column does, then parse it.

        It is trimmed; a blank one is the default, or an error if it is required; one that is too
        long, has control characters or is an error value of a spreadsheet fails. Free text may have
        line breaks, and is kept in one Unicode form.

        Args:
            cell: as the file has it.

        Raises:
            RowError: the cell can't be read; its column is filled in by the engine.
        """
        # Before all checks: a cell of spaces is blank, and a line break at the end does no harm.
        text = cell.strip()
        if not text:
            if self.required:
                raise RowError(None, "REQUIRED", "is required.")
            return self.default
        # Before `parse`, as expressions of plugins may take long on long texts.
        if len(text) > self.longest and (length := len(shown_text(text))) > self.longest:
            template = "has {length:,} characters; the limit is {limit:,}."
            raise RowError(None, "TOO_LONG", template, length=length, limit=self.longest)
        if self._is_free:
            text = normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
        if found := (_CONTROL_IN_LINES if self._is_free else _CONTROL).search(text):
            if note := note_of(text):
                return self._read_noted(note)
            raise _control_character(found[0])
        if text.startswith(ERROR_STARTS) and is_error_value(text):
            raise formula_error(text)
        return self.parse(text)

    def _read_noted(self, note: CellNote) -> T | None:
        """Read a spreadsheet's cell that does not hold the text that it shows."""
        if note.holds is Holds.ERROR:
            raise formula_error(note.shown)
        if note.holds is Holds.STRUCK:
            raise struck_out(note.shown)
        if note.holds is Holds.UNSHOWN or (self._is_exact() and note.holds is not Holds.PARTED):
            raise spreadsheet_damage(note)
        return self.read(note.shown)

    def _as_text(self, note: CellNote) -> str:
        """Write a spreadsheet's cell as a text that is read as the cell is."""
        return note.detail if note.holds is Holds.DATE else note.shown

    def _is_exact(self) -> bool:
        """Tell whether cells are IDs, which must be stored as the texts that they are."""
        return self.is_key

    def _is_free_text(self) -> bool:
        """Tell whether cells are text for people to read, such as names.

        A column that keys rows, or that has a `parse` of its own, is compared exactly.
        """
        return type(self).parse is Column.parse and not self._is_exact()

    def observe(self, cells: Collection[str]) -> Collection[str]:
        """Say what cells show about how to read the other cells of the file's column.

        Called while the file is split into chunks, for the different cells of each part of it.
        What it returns for all parts is put together, and given to `knowing`.

        Args:
            cells: as the file has them.

        Example:
            >>> sorted(Date().observe(["2026-01-31", "31/01/2026"]))
            ['day first']
        """
        return ()

    def knowing(self, known: Collection[str]) -> Self:
        """Return the column that reads the cells of a file of which this is known.

        Called before rows are read.

        Args:
            known: what `observe` has returned, and `DMY` or `MDY` if the upload declares the order
                of its dates.
        """
        return self

    def _with_settings(self, settings: Any) -> Self:
        """Return the column that reads the cells of a plugin with these settings.

        Raises:
            ConfigError: a setting that the column takes is missing or can't be used.
        """
        return self

    @only_trims
    def parse(self, text: str) -> T:
        """Turn the text of a cell into the row's value.

        Called once for each different text that a chunk has in the column, and not for blank cells.

        Args:
            text: trimmed; not blank, not too long, without control characters, and no error value
                of a spreadsheet.

        Raises:
            RowError: what is wrong with it; its column is None, as the engine knows the column.
        """
        return text  # type: ignore[return-value]  # Column[str] is the base's own use

    @keyed_by(str)
    def group_key(self, value: T) -> str:
        """Name a value in one way only, whichever cell it was read from.

        Rows are about the same thing when the group keys of their `is_key` columns are the same.
        Override it when cells that differ in form mean the same to `OwnChange.keys`, such as `A-12`
        and `a-12`.

        Args:
            value: what `parse` has returned.
        """
        return str(value)

    def choices_for(self, roles: Sequence[str]) -> Sequence[str] | None:
        """List what a cell may hold, for menus, if that is a list.

        Args:
            roles: the keys of the app's roles.
        """
        return self.choices

    def _separator(self) -> str | None:
        """Return what stands between several choices of a cell; None if a cell holds one."""
        return None

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        """Suggest cells for the conformance kit, some of them other forms of the same value.

        Args:
            cases: those that are open.
            users: those that are active.
        """
        return self._specimen_cells

    def _only_trims(self) -> bool:
        """Tell whether the value of a cell without faults is its text, whatever that is."""
        return type(self).read is Column.read and type(self).parse in _ONLY_TRIMS

    def _values_at_once(self, cells: Collection[str]) -> dict[str, Any] | None:
        """Read different cells all at once, in a few searches of all their texts.

        Returns:
            the values of those that are not blank; None where any cell may need a look of its own.
        """
        if not self._only_trims() or max(map(len, cells), default=0) > self.longest:
            return None
        texts = {cell: text for cell in cells if (text := cell.strip())}
        lines = "\n".join(texts.values())
        is_odd = (
            _CONTROL_IN_LINES.search(lines)
            or lines.count("\n") >= max(len(texts), 1)
            or any(lines.startswith(start) or f"\n{start}" in lines for start in ERROR_STARTS)
            or (self._is_free and not is_normalized("NFC", lines))
        )
        return None if is_odd else texts

    def _quick_group_keys(self, cells: Iterable[str]) -> list[str] | None:
        """Return the group keys of cells without checking these; blank cells have none.

        A cell that is wrong gets a key as well. That does no harm where hardly any are the same.

        Returns:
            None where the column may make anything else of a cell.
        """
        kind = type(self)
        of_text = _KEYED_BY.get(kind.group_key)
        only_checks = kind.read is Column.read and kind.parse in _ONLY_CHECKS
        if not only_checks or of_text is None or self.default is not None:
            return None
        texts = list(map(str.strip, cells))
        if has_notes("".join(texts)):
            return None
        # `str` of a text is the text: a call a cell less, for the column of Tag IDs of every file.
        return texts if of_text is str else list(map(of_text, texts))


class Blank(Column[None]):
    """A column that files carry and that must be left blank; the value is None.

    Example:
        >>> order = Blank(help="Leave this cell blank.")
    """

    def parse(self, text: str) -> None:
        """Refuse every text."""
        raise RowError(None, "NOT_BLANK", "leave this cell blank.")


class Flag(Column[bool]):
    """Yes or no: `1` or `0`, also `1.0` and `0.0`, and `true`, `false`, `yes`, `no`, `t`, `f`, `y`,
    `n` in any case; the value is a bool.

    Example:
        >>> mail = Flag(default=False, example="0")
        >>> mail.read("Yes")
        True
    """

    choices = ("0", "1")

    def parse(self, text: str) -> bool:
        """Read the word."""
        value = flag_of(text)
        if value is None:
            template = "'{text}' is not 0 ({off}) or 1 ({on})."
            shown = shorten(text)
            raise RowError(None, "INVALID_FLAG", template, text=shown, off="no", on="yes")
        return value


def flag_of(text: str) -> bool | None:
    """Return what a word for yes or no means; None for any other."""
    return _FLAGS.get(text.lower())


def _control_character(character: str) -> RowError:
    number = "U+" + format(ord(character), "04X")
    if character == "\ufffd":
        template = "contains {character}, which stands for a letter that was lost; enter the text"
        return RowError(None, "CONTROL_CHARACTER", template + " again.", character=number)
    what = _CONTROL_NAMES.get(character, "the control character {character}")
    template = "contains " + what + "; take it out."
    return RowError(None, "CONTROL_CHARACTER", template, character=number)
