"""The plugin SDK: the names that plugins are written with. Imports only the standard library."""

from typing import TYPE_CHECKING, Any

from importers.sdk.changes import (
    Applied,
    Assign,
    Change,
    Difference,
    Modify,
    OwnChange,
    Refused,
    Remove,
    Transaction,
    Unchanged,
)
from importers.sdk.columns import Blank, Column, Flag
from importers.sdk.directory import Directory
from importers.sdk.entities import Assignment, Case, Role, User
from importers.sdk.entity_changes import AddCase, AddUser, ModifyCase, ModifyUser
from importers.sdk.errors import RowError
from importers.sdk.formatted_columns import (
    Choice,
    Date,
    Email,
    Locale,
    Name,
    State,
    TagId,
    TimeZone,
)
from importers.sdk.importer import AssignmentOf, EveryRow, Importer
from importers.sdk.plugin import SDK_VERSION, Plugin, renamed
from importers.sdk.records.record import Record
from importers.sdk.records.record_changes import AddRecord, ModifyRecord, RemoveRecord, SetRecord
from importers.sdk.references import CaseRef, Reference, RoleRef, UserRef
from importers.sdk.row import Row
from importers.sdk.validator import Effect, Validator

__all__ = [
    "SDK_VERSION",
    "AddCase",
    "AddRecord",
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
    "Difference",
    "Directory",
    "Effect",
    "Email",
    "EveryRow",
    "Flag",
    "Importer",
    "Locale",
    "Modify",
    "ModifyCase",
    "ModifyRecord",
    "ModifyUser",
    "Name",
    "OwnChange",
    "Plugin",
    "Record",
    "Reference",
    "Refused",
    "Remove",
    "RemoveRecord",
    "Role",
    "RoleRef",
    "Row",
    "RowError",
    "SetRecord",
    "State",
    "TagId",
    "TimeZone",
    "Transaction",
    "Unchanged",
    "User",
    "UserRef",
    "Validator",
]


if not TYPE_CHECKING:  # type checkers report a name that was removed

    def __getattr__(name: str) -> Any:
        return renamed(__name__, name)
