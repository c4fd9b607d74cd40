"""Layouts: the positions of an importer's columns in the rows of a file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import guarded
from importers.rows.header import header_spec, match_header
from importers.rows.header_mapping import HeaderMapping
from importers.sdk.columns import Column, column_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from importers.reading.record import Record
    from importers.sdk.importer import Importer
    from models.progress import ImportWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file's rows are laid out.

    Args:
        positions: column's attribute → index of its cell; columns that the file lacks are left
            out.
        width: how many cells a row has.
        knowing: columns, by name, that know something of the whole file, in the place of the
            importer's.
        header: the names of columns as the file writes them.
    """

    positions: Mapping[str, int]
    width: int
    knowing: Mapping[str, Column[Any]] = field(default_factory=dict)
    header: Sequence[str] = ()

    def position_of(self, name: str | None) -> int | None:
        """Return the index of the cell at fault, given the column that a stored error names."""
        names = list(map(column_name, self.header))
        return names.index(name) if name in names else self.positions.get(name or "")

    def columns(self, importer: Importer) -> Mapping[str, Column[Any]]:
        """Return the importer's columns as this file's cells are to be read."""
        return {**importer.columns, **self.knowing}


def layout_of(
    header: Sequence[str],
    importer: Importer,
    others: Iterable[Importer] = (),
    *,
    mapping: HeaderMapping | None = None,
    below: Sequence[Record] = (),
    first_column: int = 0,
) -> Layout:
    """Find the importer's columns in a header.

    Args:
        others: importers that the file may have been meant for, to suggest one when the header does
            not match; `importer` may be among them.
        mapping: what the upload says of the header.
        below: the rows below it, of which one may be the header that was meant.
        first_column: index of its first column in the sheet.

    Raises:
        FileRefusedError: the header isn't one of this importer's files.
    """
    candidates = [header_spec(other) for other in others]
    positions = match_header(
        header,
        header_spec(importer),
        candidates,
        mapping=mapping or HeaderMapping(),
        below=below,
        first_column=first_column,
    )
    places = {
        name: positions[column.public_name]
        for name, column in importer.columns.items()
        if column.public_name in positions
    }
    return Layout(positions=places, width=len(header), header=header)


def with_knowledge(
    layout: Layout,
    importer: Importer,
    observed: Mapping[str, Collection[str]],
    date_order: str | None = None,
) -> Layout:
    """Return the layout whose columns read cells in the light of what is known of the whole file.

    Args:
        observed: what columns have shown in it, by name.
        date_order: `DMY` or `MDY`, if the upload declares it.
    """
    declared = {date_order} if date_order else set()
    knowing = {
        name: guarded(column.knowing, declared.union(observed.get(name, ())))
        for name, column in importer.columns.items()
        if type(column).knowing is not Column.knowing
    }
    return replace(layout, knowing=knowing)


def stored_layout(work: ImportWork, importer: Importer) -> Layout:
    """Return the layout of an import's rows, once its file is cut.

    Raises:
        FileRefusedError: its header is not one of this importer's files any more.
    """
    layout = layout_of(work.header or [], importer, mapping=HeaderMapping.of(work.header_mapping))
    return with_knowledge(layout, importer, work.observed, work.date_order)
