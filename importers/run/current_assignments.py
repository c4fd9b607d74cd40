"""The current assignment of a row's user to its case, for importers whose changes depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from importers.sdk.entities import Case, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.carried_keys import Edits
    from importers.run.chunk_context import ChunkContext
    from importers.sdk.entities import Assignment
    from models.assignment import Pair


class CurrentAssignments(NamedTuple):
    """What rows see of assignments.

    Args:
        places: the indices of the case's and the user's column, for each `AssignmentOf`.
        stored: what was read of the rows' pairs; it must still be so when the chunk is written.
        shown: the same, but for pairs that earlier chunks of the file have changed: as they were
            before the file.
    """

    places: Sequence[tuple[int, int]] = ()
    stored: Mapping[Pair, Assignment | None] = {}
    shown: Mapping[Pair, Assignment | None] = {}

    def of(self, row: ReadRow) -> list[Assignment | None]:
        """Return what a row sees, for each `AssignmentOf`."""
        return [
            self.shown.get(pair) if (pair := _pair(row, place)) else None for place in self.places
        ]


async def read_current(
    context: ChunkContext, rows: Sequence[ReadRow], edits: Edits
) -> CurrentAssignments:
    """Read the current assignments of rows without errors, with one query.

    Args:
        edits: those of earlier chunks of the file.
    """
    importer, directory = context.importer, context.directory
    if not importer.assignments:
        return CurrentAssignments()
    names = list(importer.columns)
    places = [(names.index(each.case), names.index(each.user))
              for each in importer.assignments.values()]  # fmt: skip
    good = [row for row in rows if not row.errors]
    pairs = {pair for row in good for place in places if (pair := _pair(row, place))}
    found = await directory.assignments(pairs)
    stored = {pair: found.get(pair) for pair in pairs}
    before = {pair: context.assignment(state) for pair, (state, _) in edits.items()}
    return CurrentAssignments(places, stored, stored | before)


def _pair(row: ReadRow, place: tuple[int, int]) -> Pair | None:
    case, user = row.values[place[0]], row.values[place[1]]
    return (case.id, user.id) if isinstance(case, Case) and isinstance(user, User) else None
