"""Importers as a third party writes them; they read the files of `assign` and mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers import (
    Assign,
    Blank,
    Case,
    CaseRef,
    EveryRow,
    FailedRow,
    Flag,
    Importer,
    RoleRef,
    Row,
    UserRef,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Declared(Importer):
    """Put people on cases; what rows ask for is declared."""

    label = "Declared"
    case_id = CaseRef(required=True, must_be_open=True, example="trv-001", help="The case.")
    user_id = UserRef(required=True, must_be_active=True, example="jack-001", help="The user.")
    case_role_order = Blank(help="Leave it blank.")
    case_role_id = RoleRef(required=True, example="staff", help="What the user is on the case.")
    case_notify = Flag(default=False, example="0", help="1 sends a mail.")
    every_row = EveryRow(
        Assign, case="case_id", user="user_id", role="case_role_id", notify="case_notify"
    )


class Asked(Declared):
    """Put people on cases; each row is asked what it means."""

    label = "Asked"
    every_row = None

    def change(self, row: Row) -> Assign:
        """Put the row's user on its case."""
        return _assign(row)


class Grouped(Declared):
    """Put people on cases; all rows of a case are asked at once what they mean."""

    label = "Grouped"
    every_row = None
    group_by = "case_id"
    # Else it would be planned before it is applied, as `assign` is not.
    at_worst = "adds"

    def change_group(
        self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]
    ) -> Iterator[tuple[Row, Assign]]:
        """Put the rows' users on their case."""
        for row in rows:
            yield row, _assign(row)


def _assign(row: Row) -> Assign:
    return Assign(case=row.case_id, user=row.user_id, role=row.case_role_id, notify=row.case_notify)
