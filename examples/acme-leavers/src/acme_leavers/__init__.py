"""Acme's leavers: takes people off all of their cases."""

from collections.abc import Sequence

from importers import AssignmentsOf, Importer, Remove, Row, Unchanged, UserRef


class Leavers(Importer):
    """Take people who leave off every case that they are on."""

    sdk = "1.0"
    label = "Leavers"

    person = UserRef(
        required=True, by="email", example="jo@example.org", help="E-mail address of the person."
    )
    present = AssignmentsOf(user="person")

    def change(self, row: Row) -> Sequence[Remove] | Unchanged:
        removals = [Remove(case=each.case, user=each.user) for each in row.present]
        return removals or Unchanged("is on no case")
