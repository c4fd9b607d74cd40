"""Testing plugins without a database: a file goes in, what became of its rows comes out."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importers.conformance import check_conformance, check_validator
from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.rows.cell_reader import ReadRow
from importers.rows.layout import layout_of
from importers.sdk.deprecation import renamed
from importers.testkit.fixture_app import Assigned, World
from importers.testkit.memory_runner import MemoryRun, instance_of
from importers.testkit.report import (
    RowReport,
    agrees,
    read_reports,
    report_of,
    write_reports,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator

__all__ = [
    "Assigned",
    "World",
    "check_conformance",
    "check_importer",
    "check_validator",
    "run_importer",
]


def check_importer(
    importer: type[Importer] | Importer,
    file: str | Path,
    expected: Sequence[RowReport] | Path,
    *,
    world: World | None = None,
    validators: Sequence[Validator] = (),
) -> None:
    """Run an importer over a file and compare what becomes of its rows.

    What is expected of an error, or of a change that is asked for, may leave out what does not
    matter to the test; `asks` as a whole may be left out where there is an outcome. An expected
    file that is not there yet is written, and fails the test once, so that somebody reads it. Not
    for use in a coroutine.

    Args:
        importer: the class, whose settings are the defaults, or an instance with its settings.
        file: the text of a CSV file, or the path of a CSV or XLSX file.
        expected: what `run_importer` is to return, or the path of it as JSON.
        world: what there is before; None for the default world.
        validators: those that are to be asked, in this order.

    Raises:
        AssertionError: something else has become of the rows.
        FileRefusedError: the file can't be imported.

    Example:
        >>> from importers.builtin.remove import RemoveUsers
        >>> check_importer(
        ...     RemoveUsers,
        ...     "user_id,case_id\\njones-001,trv-001",
        ...     [{"row": 2, "outcome": "REMOVED"}],
        ... )
    """
    found = run_importer(importer, file, world=world, validators=validators)
    if isinstance(expected, Path) and not expected.exists():
        write_reports(expected, found)
        raise AssertionError(f"{expected} was written; read it, and run the test again")
    wanted = read_reports(expected) if isinstance(expected, Path) else list(expected)
    if len(wanted) != len(found) or not all(map(agrees, wanted, found)):
        raise AssertionError(f"expected\n{written(wanted)}\nbut found\n{written(found)}")


def run_importer(
    importer: type[Importer] | Importer,
    file: str | Path,
    *,
    world: World | None = None,
    validators: Sequence[Validator] = (),
) -> list[RowReport]:
    """Run an importer over a file and report each row as the API would.

    A report has `row` and `outcome`, or `row` and `errors`, a `message` if there is one, and in
    `asks` the changes that a row without errors asks for, with their values. What becomes of
    changes of other kinds than `Assign`, `Modify` and `Remove` only the database can tell: rows
    with such a change have no outcome, and validators see it as `CREATED`. Not for use in a
    coroutine.

    Args:
        importer: the class, whose settings are the defaults, or an instance with its settings.
        file: the text of a CSV file, or the path of a CSV or XLSX file.
        world: what there is before; None for the default world.
        validators: those that are to be asked, in this order.

    Raises:
        ConfigError: the class has settings without a default.
        FileRefusedError: the file can't be imported.

    Example:
        >>> from importers.builtin.remove import RemoveUsers
        >>> (report,) = run_importer(RemoveUsers, "user_id,case_id\\njones-001,trv-001\\n")
        >>> report["outcome"], report["asks"]
        ('REMOVED', [{'change': 'Remove', 'case': 'trv-001', 'user': 'jones-001'}])
    """
    made = instance_of(importer)
    data = file.read_bytes() if isinstance(file, Path) else file.encode()
    name = file.name if isinstance(file, Path) else "test.csv"
    table = open_table(io.BytesIO(data), filename=name, encoding=None, limits=Limits())
    layout = layout_of(table.header, made)
    rows = [ReadRow(number, cells) for number, cells in table.rows]
    run = MemoryRun(importer=made, world=world or World(), validators=validators)
    return list(map(report_of, asyncio.run(run.run(layout, rows))))


if not TYPE_CHECKING:  # for type checkers a name that is gone is an error

    def __getattr__(name: str) -> Any:
        return renamed(__name__, name)
