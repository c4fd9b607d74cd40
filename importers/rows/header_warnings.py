"""Warnings on a header that fits: columns that are passed over."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from importers.rows.header import describe_header, header_spec
from importers.rows.header_mapping import IGNORED, quoted_names
from importers.sdk.columns import column_name
from importers.sdk.errors import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.rows.header import HeaderColumn
    from importers.rows.header_mapping import HeaderMapping
    from importers.sdk.importer import Importer

# Only slips of the hand: there may be many other columns, and each may be like one of the type.
_CLOSE = 0.85
_NAMELESS = "(no name)"


def header_warnings(
    header: Sequence[str], importer: Importer, mapping: HeaderMapping
) -> list[ErrorDetail]:
    """Say which columns are passed over, as the upload or the importer says."""
    spec = header_spec(importer)
    named = {*IGNORED, *map(column_name, mapping.ignored)}
    others = [
        column
        for column in describe_header(header, spec, mapping)
        if column.is_ignored and column_name(column.name) not in named
    ]
    warnings = mapping.warnings()
    if others:
        shown = dict.fromkeys(column.name or _NAMELESS for column in others)
        names = quoted_names(list(shown), most=len(shown))
        template = "*{type}* has no such columns, so they were passed over: {columns}."
        warnings.append(ErrorDetail.of("IGNORED_COLUMNS", template, type=spec.label, columns=names))
    return warnings + [_perhaps_meant(each) for each in others if _is_close(each)]


def _is_close(column: HeaderColumn) -> bool:
    name, meant = column_name(column.name), column.suggestion
    return meant is not None and difflib.SequenceMatcher(None, name, meant).ratio() >= _CLOSE


def _perhaps_meant(column: HeaderColumn) -> ErrorDetail:
    return ErrorDetail.of(
        "IGNORED_COLUMNS",
        "The column '{name}' was passed over; did you mean '{suggestion}'?",
        suggestion=column.suggestion,
        name=column.name[:100],
    )
