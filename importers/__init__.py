"""The plugin SDK: what an importer is written with. Loads nothing but the standard library."""

from importers.base import Importer
from importers.changes import (
    Applied,
    Assign,
    Change,
    Modify,
    OwnChange,
    Refused,
    Remove,
    Transaction,
)
from importers.columns import Blank, Column, Flag
from importers.entity import Case, Role, User
from importers.entity_changes import AddCase, AddUser, ModifyCase, ModifyUser
from importers.errors import RowError
from importers.formatted import Date, Email, Locale, State, TagId, TimeZone
from importers.references import CaseRef, Reference, RoleRef, UserRef
from importers.row import Row

__all__ = [
    "AddCase",
    "AddUser",
    "Applied",
    "Assign",
    "Blank",
    "Case",
    "CaseRef",
    "Change",
    "Column",
    "Date",
    "Email",
    "Flag",
    "Importer",
    "Locale",
    "Modify",
    "ModifyCase",
    "ModifyUser",
    "OwnChange",
    "Reference",
    "Refused",
    "Remove",
    "Role",
    "RoleRef",
    "Row",
    "RowError",
    "State",
    "TagId",
    "TimeZone",
    "Transaction",
    "User",
    "UserRef",
]
