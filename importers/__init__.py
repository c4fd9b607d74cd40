"""The plugin SDK: what an importer is written with. Loads nothing but the standard library."""

from typing import TYPE_CHECKING, Any

from importers.assignment_of import AssignmentOf
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
    Unchanged,
)
from importers.columns import Blank, Column, Flag
from importers.deprecation import renamed
from importers.directory import Directory
from importers.entity import Assignment, Case, Role, User
from importers.entity_changes import AddCase, AddUser, ModifyCase, ModifyUser
from importers.errors import RowError
from importers.every_row import EveryRow
from importers.formatted import Choice, Date, Email, Locale, State, TagId, TimeZone
from importers.plugin import Plugin
from importers.references import CaseRef, Reference, RoleRef, UserRef
from importers.row import Row
from importers.validator import Effect, Validator
from importers.version import SDK_VERSION

__all__ = [
    "SDK_VERSION",
    "AddCase",
    "AddUser",
    "Applied",
    "Assign",
    "Assignment",
    "AssignmentOf",
    "Blank",
    "Case",
    "CaseRef",
    "Change",
    "Choice",
    "Column",
    "Date",
    "Directory",
    "Effect",
    "Email",
    "EveryRow",
    "Flag",
    "Importer",
    "Locale",
    "Modify",
    "ModifyCase",
    "ModifyUser",
    "OwnChange",
    "Plugin",
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
    "Unchanged",
    "User",
    "UserRef",
    "Validator",
]


if not TYPE_CHECKING:  # for type checkers a name that is gone is an error

    def __getattr__(name: str) -> Any:
        return renamed(__name__, name)
