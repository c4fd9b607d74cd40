"""Sync users assigned to cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers import Assign, AssignmentsOf, Modify, Remove
from importers.builtin.assign import AssignUsers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers import Case, Change, FailedRow, Row


class SyncUsers(AssignUsers):
    """Make the file the whole truth for each case it names. Users who are not in it leave the case,
    unless a row of the case fails."""

    label = "Sync users assigned to cases"
    group_by = "case_id"
    every_row = None  # type: ignore[assignment]
    people = AssignmentsOf(case="case_id")

    def change_group(
        self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]
    ) -> Iterator[tuple[Row | None, Change]]:
        """Assign or modify the users of the rows, and remove all others."""
        others = {each.user.id: each.user for each in rows[0].people}
        for row in rows:
            user, role, notify = row.user_id, row.case_role_id, row.case_notify
            kind = Modify if user.id in others else Assign
            yield row, kind(case=key, user=user, role=role, notify=notify)
        for user_id in others.keys() - {row.user_id.id for row in rows}:
            yield None, Remove(case=key, user=others[user_id])
