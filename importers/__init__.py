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
from importers.sdk.directory import Directory, RunningImport, ValidatorDirectory
from importers.sdk.entities import Assignment, Case, PresentAssignment, Role, User
from importers.sdk.entity_changes import AddCase, AddUser, ModifyCase, ModifyUser
from importers.sdk.errors import FileError, RowError
from importers.sdk.importer import AssignmentOf, AssignmentsOf, EveryRow, Importer
from importers.sdk.plugin import SDK_VERSION, Plugin, renamed, setting
from importers.sdk.reader import Reader
from importers.sdk.ready_columns.amount import Amount, Money
from importers.sdk.ready_columns.choice import Choice
from importers.sdk.ready_columns.choices import Choices
from importers.sdk.ready_columns.country import Country
from importers.sdk.ready_columns.currency import Currency
from importers.sdk.ready_columns.date import Date
from importers.sdk.ready_columns.email import Email
from importers.sdk.ready_columns.locale import Locale
from importers.sdk.ready_columns.name import Name
from importers.sdk.ready_columns.number import Number
from importers.sdk.ready_columns.phone import Phone
from importers.sdk.ready_columns.state import State
from importers.sdk.ready_columns.tag_id import TagId
from importers.sdk.ready_columns.time_zone import TimeZone
from importers.sdk.ready_columns.url import Url
from importers.sdk.records.record import Record
from importers.sdk.records.record_changes import AddRecord, ModifyRecord, RemoveRecord, SetRecord
from importers.sdk.references import CaseRef, Reference, RoleRef, UserRef
from importers.sdk.row import FailedRow, FileRows, Row
from importers.sdk.validator import Effect, Validator

__all__ = [
    "SDK_VERSION",
    "AddCase",
    "AddRecord",
    "AddUser",
    "Amount",
    "Applied",
    "Assign",
    "Assignment",
    "AssignmentOf",
    "AssignmentsOf",
    "Blank",
    "Case",
    "CaseRef",
    "Change",
    "Choice",
    "Choices",
    "Column",
    "Country",
    "Currency",
    "Date",
    "Difference",
    "Directory",
    "Effect",
    "Email",
    "EveryRow",
    "FailedRow",
    "FileError",
    "FileRows",
    "Flag",
    "Importer",
    "Locale",
    "Modify",
    "ModifyCase",
    "ModifyRecord",
    "ModifyUser",
    "Money",
    "Name",
    "Number",
    "OwnChange",
    "Phone",
    "Plugin",
    "PresentAssignment",
    "Reader",
    "Record",
    "Reference",
    "Refused",
    "Remove",
    "RemoveRecord",
    "Role",
    "RoleRef",
    "Row",
    "RowError",
    "RunningImport",
    "SetRecord",
    "State",
    "TagId",
    "TimeZone",
    "Transaction",
    "Unchanged",
    "Url",
    "User",
    "UserRef",
    "Validator",
    "ValidatorDirectory",
    "setting",
]


if not TYPE_CHECKING:  # type checkers report a name that was removed

    def __getattr__(name: str) -> Any:
        return renamed(__name__, name)
