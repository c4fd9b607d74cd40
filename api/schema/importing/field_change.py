"""Fields of records before and after a change."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
import strawberry
from strawberry import field
from strawberry.utils.str_converters import to_camel_case

from api.batch.row_type import RowColumn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.batch.row_type import RowType


@strawberry.type(description="One field before and after a change.")
class FieldChange:
    name: str = field(
        description="The field's name: as its object has it in a history, and as the column of "
        "files has it in what an import changes."
    )
    before: str | None = field(description="Its value before; null when it was empty.")
    after: str | None = field(description="Its value after; null when it is empty.")


def field_changes(
    before: str | None, after: str | None, row_type: RowType[Any] | None
) -> list[FieldChange]:
    """Read the changed fields that are stored, in the order of their names.

    Args:
        before: JSON of the columns before, or None.
        after: JSON of the columns after, or None.
        row_type: of what was changed, which tells how the API names and shows its columns.
    """
    old: Mapping[str, Any] = orjson.loads(before) if before else {}
    new: Mapping[str, Any] = orjson.loads(after) if after else {}
    fields = {} if row_type is None else _fields_by_column(row_type)
    changes = []
    for column in old.keys() | new.keys():
        name, source = fields.get(column, (column, RowColumn((column,))))
        old_text, new_text = (_shown_value(each.get(column), source) for each in (old, new))
        changes.append(FieldChange(name=name, before=old_text, after=new_text))
    return sorted(changes, key=lambda change: change.name)


@cache
def _fields_by_column(row_type: RowType[Any]) -> dict[str, tuple[str, RowColumn]]:
    return {
        source.names[0]: (to_camel_case(name), source)
        for name, source in row_type.sources.items()
        if isinstance(source, RowColumn)
    }


def _shown_value(value: Any, source: RowColumn) -> str | None:
    """Return a value as text: of an enum the API's name of it, else as JSON has it."""
    if isinstance(value, bool) and source.convert:
        value = source.convert(value)
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
