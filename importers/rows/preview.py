"""A preview of an import: its file's beginning, and what the header means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.rows.header import (
    HeaderSpec,
    describe_header,
    find_spec,
    header_spec,
    match_header,
    missing_columns,
)
from importers.rows.header_warnings import header_warnings
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.reading.beginning import Beginning
    from importers.reading.table import Table
    from importers.rows.header import HeaderColumn
    from importers.rows.header_mapping import HeaderMapping
    from importers.sdk.errors import ErrorDetail
    from importers.sdk.importer import Importer

_NO_TYPE = HeaderSpec(key="", label="", columns={})


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedHeader:
    """What a file's header means for a type.

    Args:
        columns: one for each name in the header.
        missing: columns that the type needs and the header lacks.
        errors: why the header is refused.
        warnings: which columns are passed over.
        suggested_type: key of the type that the file was probably meant for.
    """

    columns: Sequence[HeaderColumn] = ()
    missing: Sequence[str] = ()
    errors: Sequence[ErrorDetail] = ()
    warnings: Sequence[ErrorDetail] = ()
    suggested_type: str | None = None


def preview_header(
    table: Table | None,
    importer: Importer | None,
    others: Sequence[Importer],
    mapping: HeaderMapping,
) -> PreviewedHeader:
    """Match a header as an import does, and say what each of its names means.

    Args:
        importer: of the type; None to find out which type it may be.
        others: importers that the file may have been meant for.
    """
    if table is None:
        return PreviewedHeader()
    specs = [header_spec(other) for other in others]
    if importer is None:
        found = find_spec(table.header, specs)
        columns = describe_header(table.header, _NO_TYPE, mapping)
        return PreviewedHeader(
            columns=columns,
            warnings=mapping.warnings(),
            suggested_type=found.key if found else None,
        )
    spec = header_spec(importer)
    errors = _refusals(table, spec, specs, mapping)
    return PreviewedHeader(
        columns=describe_header(table.header, spec, mapping),
        missing=missing_columns(table.header, spec, mapping),
        errors=errors,
        warnings=header_warnings(table.header, importer, mapping),
        suggested_type=next((e.suggestion for e in errors if e.code == "WRONG_TYPE"), None),
    )


def _refusals(
    table: Table, spec: HeaderSpec, others: Sequence[HeaderSpec], mapping: HeaderMapping
) -> Sequence[ErrorDetail]:
    try:
        match_header(
            table.header,
            spec,
            others,
            mapping=mapping,
            below=table.below,
            first_column=table.first_column,
        )
    except FileRefusedError as error:
        return error.errors
    return ()


def refusals(beginning: Beginning, header: PreviewedHeader) -> list[ErrorDetail]:
    """Return all that the file is refused for, in the order in which an import finds it."""
    return [*beginning.unreadable, *header.errors, *beginning.broken_off]
