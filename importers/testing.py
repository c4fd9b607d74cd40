"""Tests plugins without a database: runs a file and reports what becomes of each row."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importers.conformance import check_conformance, check_reader, check_validator
from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.rows.cell_reader import ReadRow
from importers.rows.layout import layout_of
from importers.sdk.plugin import renamed
from importers.testkit.fixture_app import Assigned, World
from importers.testkit.local_reader import LocalReader, sample_of
from importers.testkit.memory_runner import check_in_memory, instance_of, run_in_memory
from importers.testkit.report import (
    RowReport,
    agrees,
    read_reports,
    report_of,
    write_reports,
    written,
)
from importers.testkit.translations import as_entries, missing_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.importer import Importer
    from importers.sdk.plugin import Plugin
    from importers.sdk.reader import Reader
    from importers.sdk.validator import Validator

__all__ = [
    "Assigned",
    "World",
    "check_conformance",
    "check_importer",
    "check_reader",
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
    readers: Sequence[type[Reader] | Reader] = (),
) -> None:
    """Run an importer over a file and compare what becomes of its rows with an expectation.

    If the importer has catalogues, they must have the messages of these rows.

    An expected error or change may leave out fields that do not matter to the test, and a report
    its `message`; one with an outcome may leave out `asks`. If the expected file does not exist, it
    is written and the test fails once, so that you read it. Do not call this in a coroutine: it
    starts an event loop.

    Args:
        importer: the class, which gets its default settings, or an instance with its settings.
        file: the text of a CSV file, or the path of any file that can be imported.
        expected: what `run_importer` must return, or the path of a JSON file with it.
        world: what exists before the import; None for the default world.
        validators: the validators that check the rows, in this order.
        readers: those that are asked, in this order, whether they take the file.

    Raises:
        AssertionError: the reports differ from what is expected, or a catalogue lacks a message.
        FileRefusedError: the file can't be imported.

    Example:
        >>> from importers.builtin.remove import RemoveUsers
        >>> check_importer(
        ...     RemoveUsers,
        ...     "user_id,case_id\\njones-001,trv-001",
        ...     [{"row": 2, "outcome": "REMOVED"}],
        ... )
    """
    found = run_importer(importer, file, world=world, validators=validators, readers=readers)
    if isinstance(expected, Path) and not expected.exists():
        write_reports(expected, found)
        raise AssertionError(f"{expected} was written; read it, and run the test again")
    wanted = read_reports(expected) if isinstance(expected, Path) else list(expected)
    if len(wanted) != len(found) or not all(map(agrees, wanted, found)):
        raise AssertionError(f"expected\n{written(wanted)}\nbut found\n{written(found)}")
    said = [error for each in found for error in each.get("errors", [])]
    plugins: list[Plugin] = [instance_of(importer), *validators]
    if missing := as_entries(missing_messages(plugins, said)):
        raise AssertionError(
            "catalogues have no translation of these messages; write the template of each, with"
            f" names in braces:\n{missing}"
        )


def run_importer(
    importer: type[Importer] | Importer,
    file: str | Path,
    *,
    world: World | None = None,
    validators: Sequence[Validator] = (),
    readers: Sequence[type[Reader] | Reader] = (),
) -> list[RowReport]:
    """Run an importer over a file and report each row as the API would.

    A report has `row`, either `outcome` or `errors`, and `message` and `warnings` if there are any.
    For a row
    without errors, `asks` lists the changes that it asks for, with their values. The outcome of a
    change of a user, of a case, or of a kind of the plugin's own depends on the database. So a row
    with such a change has no outcome, and validators see the change as `CREATED`. Do not call this
    in a coroutine: it starts an event loop.

    Args:
        importer: the class, which gets its default settings, or an instance with its settings.
        file: the text of a CSV file, or the path of any file that can be imported.
        world: what exists before the import; None for the default world.
        validators: the validators that check the rows, in this order.
        readers: those that are asked, in this order, whether they take the file.

    Returns:
        One report for each row of the file, in its order.

    Raises:
        ConfigError: the class has a setting without a default.
        FileRefusedError: the file can't be imported.

    Example:
        >>> from importers.builtin.remove import RemoveUsers
        >>> (report,) = run_importer(RemoveUsers, "user_id,case_id\\njones-001,trv-001\\n")
        >>> report["outcome"], report["asks"]
        ('REMOVED', [{'change': 'Remove', 'case': 'trv-001', 'user': 'jones-001'}])
    """
    made = instance_of(importer)
    data, name = sample_of(file, "test.csv")
    table = open_table(
        io.BytesIO(data),
        filename=name,
        encoding=None,
        limits=Limits(),
        readers=[LocalReader(instance_of(each)) for each in readers],
    )
    layout = layout_of(table.header, made, below=table.below, first_column=table.first_column)
    rows = [ReadRow(number, cells) for number, cells in table.rows]
    asyncio.run(check_in_memory(made, world or World(), layout, rows))
    ends = asyncio.run(run_in_memory(made, world or World(), validators, layout, rows))
    return list(map(report_of, ends))


if not TYPE_CHECKING:  # type checkers report a name that was removed

    def __getattr__(name: str) -> Any:
        return renamed(__name__, name)
