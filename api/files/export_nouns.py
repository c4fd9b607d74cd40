"""What can be exported: which import types have files of it, and where their cells come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.builtin.add_cases import AddCases
from importers.builtin.add_users import AddUsers
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.modify_cases import ModifyCases
from importers.builtin.modify_users import ModifyUsers
from importers.builtin.remove import RemoveUsers
from importers.builtin.sync import SyncUsers
from importers.sdk.node_id import encode_node_id
from models.case import find_cases
from models.listing import ASSIGNMENTS, CASES, USERS
from models.user import find_users

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import date

    from importers.sdk.importer import Importer
    from models.case import CaseRecord
    from models.list_query import Listing
    from models.user import UserRecord

    Find = Callable[..., Awaitable[list[CaseRecord] | list[UserRecord]]]

FIND: Mapping[str, Find] = {"Case": find_cases, "User": find_users}
"""How references find what they name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSource:
    """Where the cells of a column come from.

    Args:
        reads: columns of the list.
        write: makes a cell of their values.
        names: `Case` or `User`, if a cell names one: by the Tag ID, which is the first value, or
            else by the ID that the API shows, made of the second.
        is_stored: whether the import would store the first value.
    """

    reads: tuple[str, ...]
    write: Callable[..., str]
    names: str = ""
    is_stored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportNoun:
    """What can be exported.

    Args:
        types: the importers whose files hold it, and whether a blank cell keeps what is stored.
            The first is the default.
        sources: by the names of the importers' columns.
        listing: what is read.
        page_rows: how many rows are read at a time.
        page_bytes: what these may take in memory.
        filters: parameters of the URL by which rows can be chosen.
    """

    types: Mapping[type[Importer], bool]
    sources: Mapping[str, CellSource]
    listing: Listing
    page_rows: int
    page_bytes: int = 1024 * 1024
    filters: tuple[str, ...] = ()


def _name_of(kind: str, tag: str, key: str) -> CellSource:
    def write(tag_id: str | None, primary_key: int) -> str:
        return tag_id or encode_node_id(kind, primary_key)

    return CellSource(reads=(tag, key), write=write, names=kind, is_stored=False)


def _write_text(text: str | None) -> str:
    return text or ""


def _write_flag(flag: bool) -> str:
    return "1" if flag else "0"


def _write_day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _text(column: str) -> CellSource:
    return CellSource(reads=(column,), write=_write_text)


def _flag(column: str) -> CellSource:
    return CellSource(reads=(column,), write=_write_flag)


EXPORTS: Mapping[str, ExportNoun] = {
    "assignments": ExportNoun(
        types={
            ModifyAssignments: True,
            AssignUsers: False,
            SyncUsers: False,
            RemoveUsers: False,
        },
        sources={
            "case_id": _name_of("Case", "case_tag_id", "case_id"),
            "user_id": _name_of("User", "user_tag_id", "user_id"),
            "case_role_order": CellSource(reads=(), write=str, is_stored=False),
            # Keys of roles are made of letters, digits, `-` and `_`: each is read as it is.
            "case_role_id": CellSource(reads=("role_key",), write=_write_text, is_stored=False),
            "case_notify": _flag("notify"),
        },
        listing=ASSIGNMENTS,
        page_rows=2_000,
        filters=("case", "user", "role", "import", "search", "caseStatus", "userStatus"),
    ),
    "users": ExportNoun(
        types={ModifyUsers: True, AddUsers: False},
        sources={
            "user_id": _name_of("User", "tag_id", "id"),
            "username": _text("email"),
            "given_name": _text("given_name"),
            "family_name": _text("family_name"),
            "locale": _text("locale"),
            "zoneinfo": _text("zoneinfo"),
            "host_tag_id": _text("tag_id"),
            "host_user_status": _flag("is_active"),
        },
        listing=USERS,
        page_rows=500,
    ),
    "cases": ExportNoun(
        types={ModifyCases: True, AddCases: False},
        sources={
            "case_id": _name_of("Case", "tag_id", "id"),
            "tag_id": _text("tag_id"),
            "case_status": _flag("is_active"),
            "date_opened": CellSource(reads=("date_opened",), write=_write_day),
            "about": _text("about"),
        },
        listing=CASES,
        # A case's text may have 10,000 characters, of four bytes each.
        page_rows=200,
        page_bytes=8 * 1024 * 1024,
    ),
}
