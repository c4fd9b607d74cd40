"""Assign users to cases."""

from __future__ import annotations

from importers import Assign, Blank, CaseRef, EveryRow, Flag, Importer, RoleRef, UserRef


class AssignUsers(Importer):
    """Put users on cases, each in a role. Rows that are in effect already change nothing."""

    label = "Assign users to cases"

    case_id = CaseRef(
        required=True,
        must_be_open=True,
        example="trv-001",
        help="Tag ID of the case, or the ID that the API shows for it.",
    )
    user_id = UserRef(
        required=True,
        must_be_active=True,
        example="jack-001",
        help="Tag ID of the user, or the ID that the API shows for the user.",
    )
    case_role_order = Blank(help="Leave this cell blank.")
    case_role_id = RoleRef(
        required=True, example="staff", help="What the user is on the case: a role of the app."
    )
    case_notify = Flag(
        default=False, example="0", help="1 sends the user an e-mail, 0 does not. Blank is 0."
    )
    every_row = EveryRow(
        Assign, case="case_id", user="user_id", role="case_role_id", notify="case_notify"
    )
