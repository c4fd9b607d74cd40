"""Modify users assigned to cases."""

from __future__ import annotations

from importers import Blank, CaseRef, EveryRow, Flag, Importer, Modify, RoleRef, UserRef


class ModifyAssignments(Importer):
    """Change the role or the notification of users who are on cases. A blank cell keeps what is
    stored."""

    label = "Modify users assigned to cases"

    case_id = CaseRef(
        required=True,
        must_be_open=True,
        example="trv-001",
        help="Tag ID of the case, or the ID that the API shows for it.",
    )
    user_id = UserRef(
        required=True,
        example="jones-001",
        help="Tag ID of the user, or the ID that the API shows for the user.",
    )
    case_role_order = Blank(help="Leave this cell blank.", in_sample=False)
    case_role_id = RoleRef(example="staff", help="The new role. Blank keeps the present one.")
    case_notify = Flag(
        example="0",
        help="1 sends the user an e-mail, 0 does not. Blank keeps the present choice.",
    )
    every_row = EveryRow(
        Modify, case="case_id", user="user_id", role="case_role_id", notify="case_notify"
    )
