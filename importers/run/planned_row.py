"""Planned rows: the changes that a row asks for, each with its keys, its intent and its lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.rules import AssignmentRule
    from importers.sdk.changes import Change, Intent, Key
    from importers.sdk.errors import ErrorDetail


class FirstMention(NamedTuple):
    """The first row of the file that names a key, and what it asks for."""

    row: int
    intent: Intent


class PlannedChange(NamedTuple):
    """A change that a row asks for.

    Args:
        keys: what it is about; for an assignment one, the primary keys of its case and user.
        intent: what it asks for, comparable with what another row asks of the same keys.
        rule: what decides about a change of an assignment; None for a custom change, which its
            own class carries out.
    """

    keys: tuple[Key, ...]
    intent: Intent
    change: Change
    rule: AssignmentRule[Any] | None


class PlannedRow(NamedTuple):
    """What a row asks for, once the rows before it are known.

    Args:
        changes: those that no earlier row of the file has asked for.
        repeats: keys that earlier rows have named and of which this row only says the same again.
        errors: why the row can't be carried out.
        messages: what the importer has to say on a row that it wants unchanged.
        named: of a row with errors, the keys that it was the first to name.
    """

    row: ReadRow
    changes: Sequence[PlannedChange] = ()
    repeats: Sequence[tuple[Key, FirstMention]] = ()
    errors: tuple[ErrorDetail, ...] = ()
    messages: Sequence[str] = ()
    named: Sequence[Key] = ()

    @property
    def is_to_apply(self) -> bool:
        """Whether its changes are to be made, so far as is known."""
        return not (self.errors or self.row.is_context)

    @property
    def keys(self) -> list[Key]:
        """The keys that it was the first to name."""
        return [*self.named, *(key for each in self.changes for key in each.keys)]

    def failed(self, errors: Sequence[ErrorDetail]) -> PlannedRow:
        """Return the row as one that is not to be carried out."""
        return PlannedRow(self.row, errors=tuple(errors), named=self.keys)
