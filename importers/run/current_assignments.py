"""The present assignment of a row's user to its case, for importers whose changes depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.sdk.entities import Case, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.seen_keys import SeenKeys
    from importers.sdk.directory import Directory
    from importers.sdk.entities import Assignment
    from importers.sdk.importer import Importer
    from models.assignment import Pair


Seen = dict["Pair", "Assignment | None"]
"""What was read of (case, user) pairs."""


async def read_present(
    importer: Importer, rows: Sequence[ReadRow], directory: Directory, claims: SeenKeys
) -> Seen:
    """Fill in the present assignments of rows without errors, with one query.

    Args:
        claims: pairs that earlier chunks of the file have changed are told as they were before.

    Returns:
        what is there now.
    """
    if not importer.assignments:
        return {}
    names = list(importer.columns)
    places = [(names.index(each.case), names.index(each.user))
              for each in importer.assignments.values()]  # fmt: skip
    good = [row for row in rows if not row.errors]
    pairs = {pair for row in good for place in places if (pair := _pair(row, place))}
    found = await directory.assignments(pairs)
    seen = {pair: found.get(pair) for pair in pairs}
    roles = {role.id: role for role in (await directory.roles()).values()}
    before = {pair: states[0] for pair, states in claims.edits(roles).items()}
    told: Mapping[Pair, Assignment | None] = seen | before
    for row in good:
        row.present = [told.get(pair) if (pair := _pair(row, place)) else None for place in places]
    return seen


def _pair(row: ReadRow, place: tuple[int, int]) -> Pair | None:
    case, user = row.values[place[0]], row.values[place[1]]
    return (case.id, user.id) if isinstance(case, Case) and isinstance(user, User) else None
