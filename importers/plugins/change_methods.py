"""What an importer's class says of rows: whether it can be called at all."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

from importers.sdk.changes import Assign, Modify, Remove
from importers.sdk.columns import Column
from importers.sdk.importer import EveryRow, Importer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.sdk.plugin import Plugin


_KINDS = (Assign, Modify, Remove)
_ARGUMENTS = {
    "change": ("row",),
    "change_group": ("key", "rows", "failed_rows"),
    "check_chunk": ("rows", "memo"),
}


def change_problems(importer_class: type[Importer]) -> Iterator[str]:
    """List why no row could be carried out: what `change` lacks, or `every_row` in its place."""
    every_row = importer_class.every_row
    has_groups = importer_class.change_group is not Importer.change_group
    if has_groups or importer_class.group_by is not None:
        yield from _group_problems(importer_class, has_groups=has_groups)
    elif importer_class.change is Importer.change and every_row is None:
        yield "the class says nothing of rows: it needs a method change, or every_row"
    for name in ("change", "change_group", "check_chunk"):
        method = getattr(importer_class, name)
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            yield f"its {name} is async, and is not awaited: look things up in a Reference"
        else:
            yield from signature_problems(importer_class, name, _ARGUMENTS[name])
    if inspect.iscoroutinefunction(importer_class.check_file):
        yield from signature_problems(importer_class, "check_file", ("rows", "directory"))
    else:
        yield "its check_file is no coroutine that returns errors: write async def, without yield"
    if every_row is not None:
        yield from _every_row_problems(importer_class, every_row)


def signature_problems(
    plugin_class: type[Plugin], name: str, arguments: Sequence[str]
) -> Iterator[str]:
    """Tell whether a method can't be called with the arguments that it gets."""
    kind = inspect.getattr_static(plugin_class, name)
    is_bound = isinstance(kind, staticmethod | classmethod)
    try:
        inspect.signature(getattr(plugin_class, name)).bind(
            *([] if is_bound else [None]), *arguments
        )
    except (TypeError, ValueError):
        yield f"its {name} can't be called as {name}({', '.join(arguments)})"


def _group_problems(importer_class: type[Importer], *, has_groups: bool) -> Iterator[str]:
    name = importer_class.group_by
    column = importer_class.columns.get(name) if isinstance(name, str) else None
    if not has_groups:
        yield "it has group_by, and no method change_group"
    if name is None:
        yield "its change_group needs group_by, the name of the column that makes a group"
    elif column is None:
        yield f"its group_by names the column {name!r:.80}, which there is not"
    elif isinstance(column, Column) and not column.required:
        yield f"the column '{name}' of its group_by has to be required: blank cells make no group"
    elif type(column).observe is not Column.observe:
        # Rows are grouped before all cells of the file have been seen.
        what = "reads a cell by what others show, as Date does, and can't make groups"
        yield f"the column '{name}' of its group_by {what}: group by another one"
    if importer_class.change is not Importer.change:
        yield "it has both change and group_by: change_group takes the place of change"
    if importer_class.every_row is not None:
        yield "it has both every_row and group_by: change_group takes the place of every_row"


def _every_row_problems(importer_class: type[Importer], every_row: object) -> Iterator[str]:
    if not isinstance(every_row, EveryRow) or every_row.kind not in _KINDS:
        yield f"its every_row is {every_row!r:.80}, not an EveryRow of Assign, Modify or Remove"
        return
    kind = every_row.kind
    columns = set(every_row.columns.values())
    for name in sorted(columns - importer_class.columns.keys()):
        yield f"its every_row names the column '{name}', which there is not"
    given, declared = set(every_row.columns), {field.name: field for field in fields(kind)}
    needed = {name for name, field in declared.items() if field.default is MISSING}
    yield from (f"its every_row names no column for '{name}'" for name in sorted(needed - given))
    for name in sorted(given - declared.keys()):
        yield f"its every_row names a column for '{name}', which {kind.__name__} does not have"
