"""Remove users assigned to cases."""

from __future__ import annotations

from importers import CaseRef, EveryRow, Importer, Remove, UserRef


class RemoveUsers(Importer):
    """Take users off cases. Rows whose user is not on the case change nothing."""

    label = "Remove users assigned to cases"

    user_id = UserRef(
        required=True,
        example="jones-001",
        help="Tag ID of the user, or the ID that the API shows for the user.",
    )
    case_id = CaseRef(
        required=True,
        example="trv-001",
        help="Tag ID of the case, or the ID that the API shows for it.",
    )
    every_row = EveryRow(Remove, case="case_id", user="user_id")
