"""Failed rows as a table: cells under the columns of the file, each with what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from importers.rows.header_mapping import IGNORED
from importers.sdk.columns import column_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNKNOWN: dict[str, Any] = {"required": False, "description": "", "choices": None, "names": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileColumn:
    """A column of the file.

    Args:
        place: its place in the file.
        header: its name in the file.
        name: its name as errors have it, or `meant`.
        meant: the type's column, if the upload says that it is another one.
        choices: what its cells may hold; nothing when that is no list.
        separator: what stands between several of them; nothing when a cell holds one.
        names: what its cells name: `case`, `user`, both or nothing.
    """

    place: int
    header: str
    name: str
    meant: str
    description: str
    choices: Sequence[str]
    names: str
    separator: str = ""

    def is_named(self, column: str | None) -> bool:
        """Tell whether an error's column is this one."""
        return column in (self.name, self.meant)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCell:
    """A cell of a failed row, and what is wrong with it.

    Args:
        hidden: the text once more, where not all of its letters can be seen.
    """

    column: FileColumn
    text: str
    hidden: str | None
    errors: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedRow:
    """A failed row.

    Args:
        errors: what is wrong with the row as a whole, or with a column that the file has not.
        is_too_long: whether it has more cells than the header; all cells of such a row are sent
            when one is corrected, so that those beyond the header go.
    """

    number: int
    cells: Sequence[FailedCell]
    errors: Sequence[Mapping[str, Any]]
    is_too_long: bool

    @property
    def first_bad(self) -> FailedCell | None:
        """The first cell that is to be corrected; the first one when the row as a whole is bad."""
        return next((cell for cell in self.cells if cell.errors), next(iter(self.cells), None))


def file_columns(item: Mapping[str, Any]) -> list[FileColumn]:
    """Describe the columns of an import's file, without those of our own downloads.

    Args:
        item: an import with `file.header`, `columnMapping` and `type.columns`.
    """
    described = {column["name"]: column for column in item["type"]["columns"]}
    meant = {column_name(each["header"]): each["column"] for each in item["columnMapping"]}
    columns = []
    for place, header in enumerate(item["file"]["header"] or ()):
        name = column_name(header)
        if name in IGNORED or not name:
            continue
        known = described.get(meant.get(name, name), _UNKNOWN)
        columns.append(
            FileColumn(
                place=place,
                header=header,
                name=name,
                meant=meant.get(name, name),
                description=known["description"],
                choices=known["choices"] or (),
                separator=known.get("separator") or "",
                names=" ".join(known["names"]).lower(),
            )
        )
    return columns


def failed_row(row: Mapping[str, Any], columns: Sequence[FileColumn], width: int) -> EditedRow:
    """Put a row's cells and errors under the columns of the file.

    Args:
        row: the fields of the fragment `FailedRow`.
        width: how many cells the header has.
    """
    errors: dict[int | None, list[Mapping[str, Any]]] = defaultdict(list)
    for error in row["errors"]:
        column = find_column(columns, error["column"])
        errors[column.place if column else None].append(error)
    texts = [cell["value"] for cell in row["cells"]]
    return EditedRow(
        number=row["number"],
        cells=[_cell(column, texts, errors[column.place]) for column in columns],
        errors=errors[None],
        is_too_long=len(texts) > width,
    )


def find_column(columns: Sequence[FileColumn], name: str | None) -> FileColumn | None:
    """Return the column that an error names; None if the file has no such column."""
    return next((column for column in columns if column.is_named(name)), None)


def _cell(
    column: FileColumn, texts: Sequence[str], errors: Sequence[Mapping[str, Any]]
) -> FailedCell:
    # A row may be shorter than the header.
    text = texts[column.place] if column.place < len(texts) else ""
    return FailedCell(
        column=column, text=text, hidden=None if text.isprintable() else text, errors=errors
    )
