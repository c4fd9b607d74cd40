"""Layouts: the positions of an importer's columns in the rows of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.rows.header import header_spec, match_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from importers.reading.record import Record
    from importers.sdk.importer import Importer


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file's rows are laid out.

    Args:
        positions: column name → index of its cell; columns that the file lacks are left out.
        width: how many cells a row has.
    """

    positions: Mapping[str, int]
    width: int


def layout_of(
    header: Sequence[str],
    importer: Importer,
    others: Iterable[Importer] = (),
    *,
    below: Sequence[Record] = (),
    first_column: int = 0,
) -> Layout:
    """Find the importer's columns in a header.

    Args:
        others: importers that the file may have been meant for, to suggest one when the header does
            not match; `importer` may be among them.
        below: the rows below it, of which one may be the header that was meant.
        first_column: index of its first column in the sheet.

    Raises:
        FileRefusedError: the header isn't one of this importer's files.
    """
    candidates = [header_spec(other) for other in others]
    positions = match_header(
        header, header_spec(importer), candidates, below=below, first_column=first_column
    )
    return Layout(positions=positions, width=len(header))
