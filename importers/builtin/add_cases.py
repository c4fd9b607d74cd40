"""Create cases."""

from __future__ import annotations

from importers import AddCase, Column, Date, Importer, Row, State, TagId


class AddCases(Importer):
    """Create cases. Rows of cases that are there already, just so, change nothing."""

    label = "Create cases"
    at_worst = "adds"

    tag_id = TagId(
        required=True,
        is_key=True,
        example="trv-901",
        help="Your own name for the case, which no other case may have. It is permanent.",
    )
    case_status = State(
        off="closed", on="active", default=True, example="1", help="0 closed, 1 or blank active."
    )
    date_opened = Date(example="01/31/2026", help="When it was opened, mm/dd/yyyy.")
    about = Column[str](
        required=True, example="Smith v. Harbor Freight Lines", help="What the case is about."
    )

    def change(self, row: Row) -> AddCase:
        """Create the row's case."""
        return AddCase(
            tag_id=row.tag_id,
            about=row.about,
            is_active=row.case_status,
            date_opened=row.date_opened,
        )
