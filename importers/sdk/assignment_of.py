"""How an importer asks to be told of present assignments."""

from __future__ import annotations


class AssignmentOf:
    """How a row's user is on its case before the import: an `Assignment`, or None.

    An attribute of the importer, but no column of the file. What rows are told is what was there
    before any row of the file was applied; if it has changed when the chunk is written, the chunk
    is done anew.

    Args:
        case: name of the column that holds the case.
        user: name of the column that holds the user.

    Example:
        >>> class Promotion(Importer):
        ...     label = "Promotions"
        ...     matter = CaseRef(required=True, example="trv-001")
        ...     person = UserRef(required=True, example="jones-001")
        ...     role = RoleRef(required=True, example="staff")
        ...     present = AssignmentOf("matter", "person")
        ...
        ...     def change(self, row):
        ...         if row.present is None:
        ...             return Unchanged("is not on the matter")
        ...         return Modify(case=row.matter, user=row.person, role=row.role)
    """

    name: str
    """The attribute's name, by which rows have it."""

    def __init__(self, case: str, user: str) -> None:
        self.name = ""
        self.case = case
        self.user = user

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
