"""Layouts: the positions of an importer's columns in the rows of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.rows.header import header_spec, match_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def layout_of(header: Sequence[str], importer: Importer, others: Iterable[Importer] = ()) -> Layout:
    """Find the importer's columns in a header.

    Args:
        others: importers that the file may have been meant for, to suggest one when the header does
            not match; `importer` may be among them.

    Raises:
        FileRefusedError: the header isn't one of this importer's files.
    """
    candidates = [header_spec(other) for other in others]
    return Layout(
        positions=match_header(header, header_spec(importer), candidates), width=len(header)
    )
