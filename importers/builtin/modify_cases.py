"""Modify cases."""

from __future__ import annotations

from importers import CaseRef, Column, Date, Importer, ModifyCase, Row, State


class ModifyCases(Importer):
    """Change cases, close them or open them again. A blank cell keeps what is stored."""

    label = "Modify cases"
    at_worst = "changes"

    case_id = CaseRef(
        required=True,
        is_key=True,
        example="trv-001",
        help="Tag ID of the case, or the ID that the API shows for it.",
    )
    case_status = State(
        off="closed", on="active", example="1", help="0 closes the case, 1 opens it."
    )
    date_opened = Date(example="01/31/2026", help="When it was opened, mm/dd/yyyy.")
    about = Column[str](example="Smith v. Harbor Freight Lines", help="What the case is about.")

    def change(self, row: Row) -> ModifyCase:
        """Modify the row's case."""
        return ModifyCase(
            case=row.case_id,
            about=row.about,
            is_active=row.case_status,
            date_opened=row.date_opened,
        )
