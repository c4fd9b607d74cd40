"""The plugin SDK: what an importer is written with. Loads nothing but the standard library."""

from importers.base import Importer
from importers.changes import Assign, Change, Modify, Remove
from importers.columns import Blank, Column, Flag
from importers.entity import Case, Role, User
from importers.errors import RowError
from importers.references import CaseRef, Reference, RoleRef, UserRef
from importers.row import Row

__all__ = [
    "Assign",
    "Blank",
    "Case",
    "CaseRef",
    "Change",
    "Column",
    "Flag",
    "Importer",
    "Modify",
    "Reference",
    "Remove",
    "Role",
    "RoleRef",
    "Row",
    "RowError",
    "User",
    "UserRef",
]
