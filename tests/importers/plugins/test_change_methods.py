"""An importer whose rows could not be carried out is broken as it is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Assign, CaseRef, Date, EveryRow, Importer, Remove, RoleRef, UserRef
from importers.plugins.change_methods import change_problems
from importers.plugins.loader import class_problems


def change(self: Any, row: Any) -> None:
    """Ask for nothing."""


def change_all(self: Any, key: Any, rows: Any, failed_rows: Any) -> None:
    """Ask for nothing, of a whole group."""


async def change_later(self: Any, row: Any) -> None:
    """Ask for nothing, if it were awaited."""


def check_rows(self: Any, rows: Any, memo: Any) -> Any:
    """Find nothing wrong."""


async def check_later(self: Any, rows: Any, directory: Any) -> None:
    """Refuse nothing."""


async def changes_later(self: Any, row: Any) -> Any:
    """Ask for something, if it were iterated."""
    yield None


def importer_with(**attributes: Any) -> type[Importer]:
    columns = {"matter": CaseRef(), "person": UserRef(), "role": RoleRef()}
    return type("Odd", (Importer,), {"label": "Odd", **columns, **attributes})


@pytest.mark.parametrize(
    ("attributes", "problems"),
    [
        ({}, ["the class says nothing of rows: it needs a method change, or every_row"]),
        ({"change": change_later},
         ["its change is async, and is not awaited: look things up in a Reference"]),
        ({"change": changes_later},
         ["its change is async, and is not awaited: look things up in a Reference"]),
        ({"change": change, "check_chunk": change_later},
         ["its check_chunk is async, and is not awaited: look things up in a Reference"]),
        ({"change": change, "check_file": change},
         ["its check_file is no coroutine that returns errors: write async def, without yield"]),
        ({"change": change, "check_file": changes_later},
         ["its check_file is no coroutine that returns errors: write async def, without yield"]),
        ({"change": change, "check_file": check_later}, []),
        ({"change": change, "check_file": change_later},
         ["its check_file can't be called as check_file(rows, directory)"]),
        ({"change": check_rows}, ["its change can't be called as change(row)"]),
        ({"change": change, "check_chunk": change},
         ["its check_chunk can't be called as check_chunk(rows, memo)"]),
        ({"group_by": "matter", "change_group": change, "matter": CaseRef(required=True)},
         ["its change_group can't be called as change_group(key, rows, failed_rows)"]),
        ({"change": staticmethod(abs)}, []),
        ({"change": classmethod(change)}, []),
        ({"change": lambda self, *rows, **more: None, "check_chunk": check_rows}, []),
        ({"every_row": Remove},
         ["its every_row is <class 'importers.sdk.changes.Remove'>, not an EveryRow of Assign,"
          " Modify or Remove"]),
        ({"every_row": EveryRow(Importer, case="matter")},  # type: ignore[arg-type]
         [f"its every_row is {'<importers.sdk.importer.EveryRow object at 0x'}"]),
        ({"every_row": EveryRow(Assign, case="matter", user="nobody", rolle="role")},
         ["its every_row names the column 'nobody', which there is not",
          "its every_row names no column for 'role'",
          "its every_row names a column for 'rolle', which Assign does not have"]),
        ({"every_row": EveryRow(Assign, case="matter", user="person", role="role")}, []),
        ({"change": change}, []),
        ({"group_by": "matter", "change_group": change_all, "matter": CaseRef(required=True)}, []),
        ({"change_group": change_all},
         ["its change_group needs group_by, the name of the column that makes a group"]),
        ({"group_by": "matter", "matter": CaseRef(required=True)},
         ["it has group_by, and no method change_group"]),
        ({"group_by": "case", "change_group": change_all},
         ["its group_by names the column 'case', which there is not"]),
        ({"group_by": CaseRef(), "change_group": change_all}, ["its group_by names the column <"]),
        ({"group_by": "matter", "change_group": change_all},
         ["the column 'matter' of its group_by has to be required: blank cells make no group"]),
        ({"group_by": "day", "change_group": change_all, "day": Date(required=True)},
         ["the column 'day' of its group_by reads a cell by what others show, as Date does, and"
          " can't make groups: group by another one"]),
        ({"group_by": "matter", "change_group": change_all, "matter": CaseRef(required=True),
          "change": change, "every_row": EveryRow(Remove, case="matter", user="person")},
         ["it has both change and group_by: change_group takes the place of change",
          "it has both every_row and group_by: change_group takes the place of every_row"]),
        ({"group_by": "matter", "change_group": change_later, "matter": CaseRef(required=True)},
         ["its change_group is async, and is not awaited: look things up in a Reference"]),
    ],
)  # fmt: skip
def test_changes(attributes: dict[str, Any], problems: list[str]) -> None:
    """Neither, an async one, and an `every_row` that makes no change."""
    found = list(change_problems(importer_with(**attributes)))

    assert len(found) == len(problems)
    assert all(text.startswith(start) for text, start in zip(found, problems, strict=True))


def test_it_is_among_the_problems_of_a_class() -> None:
    """So the plugin is broken, and the kit says so."""
    assert class_problems(importer_with()) == [
        "the class says nothing of rows: it needs a method change, or every_row"
    ]
