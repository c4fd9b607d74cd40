"""What every row of an importer asks for, when that is one change made of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.sdk.changes import Assign, Change, Modify, Remove
    from importers.sdk.row import Row


class EveryRow:
    """Say that every row asks for one change of an assignment, made of the row's columns.

    It stands for `Importer.change`, and lets the engine take all rows of a chunk at once.

    Args:
        kind: `Assign`, `Modify` or `Remove`.
        columns: for each field of the change the name of a column.

    Example:
        >>> class Leavers(Importer):
        ...     label = "Leavers"
        ...     matter = CaseRef(required=True, example="trv-001")
        ...     person = UserRef(required=True, example="jones-001")
        ...     every_row = EveryRow(Remove, case="matter", user="person")
    """

    def __init__(self, kind: type[Assign | Modify | Remove], **columns: str) -> None:
        self.kind = kind
        self.columns: Mapping[str, str] = columns

    def change(self, row: Row) -> Change:
        """Make the change that a row asks for."""
        return self.kind(**{field: getattr(row, name) for field, name in self.columns.items()})
