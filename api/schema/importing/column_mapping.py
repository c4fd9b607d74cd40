"""What an upload says of its file's header: which columns of the type its names stand for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import strawberry
from strawberry import field

from importers.rows.header import header_spec
from importers.rows.header_mapping import HeaderMapping
from importers.sdk.columns import column_name
from importers.sdk.errors import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.schema.input_errors import InputErrors
    from importers.rows.header import HeaderSpec
    from importers.sdk.importer import Importer

_MOST_NAMES = 100
_LONGEST_NAME = 1_000


@strawberry.input(description="What a name in a file's header stands for.")
class ColumnMappingInput:
    header: str = field(
        description="The name as the file has it, in any case; spaces and hyphens are like `_`."
    )
    column: str = field(description="The type's column of which the cells below it are.")


@strawberry.type(description="What a name in a file's header stands for.")
class ColumnMapping:
    header: str = field(description="The name as the upload gave it.")
    column: str = field(description="The type's column of which the cells below it are.")


def mapped_columns(stored: str | None) -> list[ColumnMapping]:
    columns = json.loads(stored)["columns"] if stored else {}
    return [ColumnMapping(header=header, column=column) for header, column in columns.items()]


def ignored_columns(stored: str | None) -> list[str]:
    return list(json.loads(stored)["ignored"]) if stored else []


def read_mapping(
    columns: Sequence[ColumnMappingInput] | None,
    ignored: Sequence[str] | None,
    importer: Importer | None,
    errors: InputErrors,
) -> HeaderMapping:
    """Read what an upload says of its file's header.

    Args:
        importer: whose columns there are; None when the type is unknown.
    """
    spec = header_spec(importer) if importer else None
    meant = [column_name(each.column) for each in columns or ()]
    meant = spec.read(meant) if spec else meant
    mapping = HeaderMapping(
        columns=dict(zip([each.header for each in columns or ()], meant, strict=True)),
        ignored=tuple(dict.fromkeys(ignored or ())),
    )
    _check_names("columns", [each.header for each in columns or ()], errors)
    _check_names("ignoreColumns", mapping.ignored, errors)
    _check_repeats([each.header for each in columns or ()], mapping.ignored, errors)
    _check_columns(meant, spec, errors)
    return mapping


def _check_names(field_name: str, names: Sequence[str], errors: InputErrors) -> None:
    if len(names) > _MOST_NAMES:
        errors.add("TOO_MANY_COLUMNS", field_name, f"Name {_MOST_NAMES} headers at the most.")
    for name in names[:_MOST_NAMES]:
        if not name.strip():
            errors.add("REQUIRED", field_name, "The name of a header can't be blank.")
        if len(name) > _LONGEST_NAME:
            message = f"A header of {len(name):,} characters is too long; {_LONGEST_NAME:,} fit."
            errors.add("TOO_LONG", field_name, message)
        if storable(name) != name:
            errors.add("CONTROL_CHARACTER", field_name, "A header can't hold such characters.")


def _check_repeats(mapped: Sequence[str], ignored: Sequence[str], errors: InputErrors) -> None:
    """Refuse to choose between two meanings of one header."""
    seen: set[str] = set()
    for name in (*mapped, *ignored):
        if column_name(name) in seen:
            what = "is mapped twice" if name in mapped else "is mapped, or ignored, already"
            field_name = "columns" if name in mapped else "ignoreColumns"
            errors.add("HEADER_TWICE", field_name, f"The header '{name[:100]}' {what}.")
        seen.add(column_name(name))


def _check_columns(columns: Sequence[str], spec: HeaderSpec | None, errors: InputErrors) -> None:
    for name in dict.fromkeys(columns):
        if spec is not None and name not in spec.columns:
            known = ", ".join(map(spec.written, spec.columns))
            message = f"*{spec.label}* has no column '{name[:100]}'; it has {known}."
            errors.add("UNKNOWN_COLUMN", "columns", message)
        elif columns.count(name) > 1:
            message = f"Two headers can't both be '{name[:100]}'; ignore one of them."
            errors.add("DUPLICATE_COLUMN", "columns", message)
