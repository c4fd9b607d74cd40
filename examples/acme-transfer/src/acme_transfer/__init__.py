"""Acme's transfers: lets one person take over the cases of another."""

from collections.abc import Iterator

from importers import Assign, AssignmentsOf, Importer, Remove, Row, RowError, Unchanged, UserRef


class Transfer(Importer):
    """Give the open cases of one person to another, in the same roles."""

    sdk = "1.0"
    label = "Transfer of cases"

    from_ = UserRef(
        header="From", required=True, example="jones-001", help="Tag ID of who hands over."
    )
    to = UserRef(
        required=True, must_be_active=True, example="jack-001", help="Tag ID of who takes over."
    )
    handed_over = AssignmentsOf(user="from_")
    held = AssignmentsOf(user="to")

    def change(self, row: Row) -> Iterator[Assign | Remove | Unchanged]:
        if row.from_ == row.to:
            raise RowError("to", "SAME_PERSON", "is the person who hands over.")
        held = {each.case.id: each.role for each in row.held}
        cases = [each for each in row.handed_over if each.case.is_active]
        if not cases:
            yield Unchanged("there is no open case to hand over")
        for each in cases:
            yield Remove(case=each.case, user=each.user)
            if role := held.get(each.case.id):
                yield Unchanged(f"{row.to.tag_id} stays {role.key} on {each.case.tag_id}")
            else:
                yield Assign(case=each.case, user=row.to, role=each.role)
