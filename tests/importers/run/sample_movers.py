"""Importers whose rows are about all cases of a user, or about all users of a case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from importers import (
    Assign,
    AssignmentsOf,
    CaseRef,
    Importer,
    Remove,
    Row,
    RowError,
    Unchanged,
    UserRef,
)


class Leaving(Importer):
    """Take a person off all cases."""

    label = "Leaving"
    person = UserRef(required=True, example="jones-001", help="Tag ID.")
    present = AssignmentsOf(user="person")

    def change(self, row: Row) -> Any:
        """Remove each assignment."""
        removed = [Remove(case=each.case, user=each.user) for each in row.present]
        return removed or Unchanged("is on no case")


class Moving(Importer):
    """Let one person take over the cases of another."""

    label = "Moving"
    old = UserRef(required=True, example="jones-001", help="Tag ID.")
    new = UserRef(required=True, example="jack-001", help="Tag ID.")
    theirs = AssignmentsOf(user="old")
    own = AssignmentsOf(user="new")

    def change(self, row: Row) -> Iterator[Any]:
        """Remove each assignment, and make it the other's."""
        if row.old == row.new:
            raise RowError("new", "SAME", "is the same person.")
        own = {each.case.id for each in row.own}
        for each in row.theirs:
            yield Remove(case=each.case, user=each.user)
            if each.case.id in own:
                yield Unchanged(f"is on {each.case.tag_id} already")
            else:
                yield Assign(case=each.case, user=row.new, role=each.role, notify=each.notify)


class Emptying(Importer):
    """Take all people off a case."""

    label = "Emptying"
    case_id = CaseRef(required=True, example="trv-001", help="Tag ID.")
    people = AssignmentsOf(case="case_id")

    def change(self, row: Row) -> Any:
        """Remove each assignment."""
        return [Remove(case=each.case, user=each.user) for each in row.people]


class Meeting(Importer):
    """Look at all cases of a user and all users of a case."""

    label = "Meeting"
    case_id = CaseRef(required=True, example="trv-001", help="Tag ID.")
    person = UserRef(required=True, example="jones-001", help="Tag ID.")
    people = AssignmentsOf(case="case_id")
    cases = AssignmentsOf(user="person")

    def change(self, row: Row) -> Any:
        """Take the person's colleagues on this case off it, if the person is on another."""
        if all(each.case == row.case_id for each in row.cases):
            return Unchanged("is on no other case")
        return [Remove(case=each.case, user=each.user) for each in row.people]
