"""The files of a made-up law firm: its users, its cases, and who is on which case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CASES = 500
USERS = 300

_FOLDER = Path(__file__).parent
# Importer → what its file holds, in the order of the imports. Users are disabled before the
# assignments, so that no disabled user is on a case; cases are closed after them, because a
# closed case takes no new user.
_CONTENTS = {
    "add-users": "users",
    "modify-users": "users who have left",
    "add-cases": "cases",
    "assign": "assignments",
    "modify-cases": "cases that are closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFile:
    """A file to import.

    Args:
        type: the key of the importer.
        name: what the import is called.
    """

    type: str
    name: str
    file_name: str
    content: bytes


def demo_files() -> list[DemoFile]:
    """Read the files, in the order in which to import them."""
    return [_read(type_, what) for type_, what in _CONTENTS.items()]


def _read(type_: str, what: str) -> DemoFile:
    path = _FOLDER / f"{what.replace(' ', '-')}.csv"
    return DemoFile(
        type=type_, name=f"Demo: {what}", file_name=path.name, content=path.read_bytes()
    )
