"""What is stored, as the rows of a file that an import type reads."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from importers.reading.record import add_guards
from importers.sdk.entity_errors import differ
from importers.sdk.errors import RowError
from importers.sdk.node_id import encode_node_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Record

    from api.files.export_nouns import CellSource, ExportNoun
    from importers.sdk.columns import Column
    from importers.sdk.importer import Importer

# The column of failed rows by which an upload knows that cells have guards to take off.
_REMARKS = "errors"
_INEXACT = "a file can't hold this text exactly as it is stored."


class ExportForm:
    """The form of a file: the columns of a type's sample file, and `errors`.

    A file with that column loses no `'` before `=1+1` when it is uploaded. It says where a cell
    can't be written so that an upload reads it as it is stored. Such a cell is blank if the type
    keeps what is stored then.

    Args:
        importer: one of the noun's types.
    """

    def __init__(self, noun: ExportNoun, importer: Importer) -> None:
        columns = [column for column in importer.columns.values() if column.in_sample]
        self._blank_keeps = noun.types[type(importer)]
        self._columns = [(column, noun.sources[column.name]) for column in columns]
        self.header = [*(column.name for column in columns), _REMARKS]
        self.reads = frozenset(name for _, source in self._columns for name in source.reads)

    def unnamed(self, rows: Sequence[Record]) -> dict[str, set[str]]:
        """Return the IDs that name what has no Tag ID, by `Case` and `User`."""
        found = {}
        for _, source in self._columns:
            if source.names:
                tag, key = source.reads
                keys = {row[key] for row in rows if row[tag] is None}
                found[source.names] = {encode_node_id(source.names, each) for each in keys}
        return found

    def lay_out(
        self, rows: Sequence[Record], taken: Mapping[str, Collection[str]]
    ) -> list[tuple[str, ...]]:
        """Make rows of the file.

        Args:
            taken: of `unnamed`, those that are the Tag ID of something else.
        """
        columns = []
        remarks = [""] * len(rows)
        for column, source in self._columns:
            values = _values(rows, source)
            # Each different value once: there are few roles, and few cases with many users.
            shown = {
                value: self._show(column, source, value, taken.get(source.names, ()))
                for value in set(values)
            }
            columns.append([shown[value][0] for value in values])
            if any(remark for _, remark in shown.values()):
                remarks = [
                    f"{remark} {shown[value][1]}".strip()
                    for remark, value in zip(remarks, values, strict=True)
                ]
        return list(zip(*columns, remarks, strict=True))

    def _show(
        self,
        column: Column[Any],
        source: CellSource,
        value: tuple[Any, ...],
        taken: Collection[str],
    ) -> tuple[str, str]:
        """Return a cell, and what to remark on it."""
        cell = source.write(*value)
        fault = ""
        if source.names and value[0] is None and cell in taken:
            noun = source.names.lower()
            fault = f"another {noun} has the ID of this one, '{cell}', as its Tag ID; give this"
            cell, fault = "", f"{fault} {noun} a Tag ID."
        elif source.is_stored and (fault := _fault(column, cell, value[0])) and self._blank_keeps:
            cell = ""
        [guarded] = add_guards([cell])
        return guarded, f"{column.label}: {fault}" if fault else ""


def _values(rows: Sequence[Record], source: CellSource) -> list[tuple[Any, ...]]:
    if not source.reads:
        return [()] * len(rows)
    return list(zip(*(map(itemgetter(name), rows) for name in source.reads), strict=True))


def _fault(column: Column[Any], cell: str, stored: object) -> str:
    """Say why an upload would not read a cell as what is stored; empty if it would."""
    try:
        read = column.read(cell)
    except RowError as error:
        return error.message
    # A blank cell is none, or an empty text.
    return _INEXACT if differ(stored or None, read or None) else ""
