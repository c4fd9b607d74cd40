"""The importer under test, its sample row, and the outcomes of rows."""

from __future__ import annotations

import asyncio
import logging
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.rows.cell_reader import ReadRow
from importers.rows.layout import Layout
from importers.sdk.entities import Case, Role, User
from importers.split.grouping import group_rows
from importers.testkit.fixture_app import WorldDirectory
from importers.testkit.memory_runner import run_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from importers.sdk.changes import Change, Intent, Key
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from importers.testkit.fixture_app import Assigned, World
    from importers.testkit.memory_runner import RowEnd

Cells = tuple[str, ...]
File = dict[int, Cells]
"""Rows by number."""

CRASHES = ("IMPORTER_ERROR", "VALIDATOR_ERROR")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a row, comparable with that of another run."""

    outcome: str | None
    message: str | None
    errors: Sequence[Mapping[str, Any]]
    asks: Sequence[tuple[tuple[Key, ...], Intent]]
    changes: Sequence[Change] = field(default=(), compare=False)

    @property
    def crashes(self) -> list[Mapping[str, Any]]:
        """Those of its errors that are the plugin's fault."""
        return [error for error in self.errors if error["code"] in CRASHES]

    def __str__(self) -> str:
        if self.errors:
            return "; ".join(f"{each['code']} ({each['message']})" for each in self.errors)
        asked = ", ".join(map(_brief, self.changes))
        message = f', "{self.message}"' if self.message else ""
        return f"{self.outcome}{message}" + (f", asking for {asked:.300}" if asked else "")


class Cause(NamedTuple):
    """An exception on one line, and the place that it was raised at."""

    text: str
    place: str

    def __str__(self) -> str:
        return f"{self.text}{self.place}"


class Ran(NamedTuple):
    """The outcomes of a file by row number, and the exceptions that the plugin has raised."""

    rows: dict[int, Outcome]
    causes: list[Cause]

    @property
    def only(self) -> Outcome:
        """The outcome of the one row of the file."""
        (outcome,) = self.rows.values()
        return outcome

    @property
    def cause(self) -> Cause:
        """The first exception."""
        return self.causes[0] if self.causes else Cause("an exception", "")


class Subject:
    """The importer under test. Rows have a cell for each of its columns, in their order."""

    def __init__(self, importer: Importer, world: World, validators: Sequence[Validator]) -> None:
        self.importer = importer
        self.world = world
        self.names = list(importer.columns)
        self.sample: Cells = tuple(
            (column.example or "") if column.in_sample else ""
            for column in importer.columns.values()
        )
        self._validators = validators
        self._run_rows = partial(run_in_memory, importer, world, validators)
        self._together = {each.together for each in validators if each.together}
        self.sampled = self.run({2: self.sample})

    def with_assignments(self, assignments: Sequence[Assigned]) -> Subject:
        """Return the importer in a world with other assignments."""
        world = replace(self.world, assignments=assignments)
        return Subject(self.importer, world, self._validators)

    def with_cell(self, name: str, cell: str) -> Cells:
        """Return the sample row with another cell."""
        cells = zip(self.names, self.sample, strict=True)
        return tuple(cell if each == name else present for each, present in cells)

    def run(self, file: File, *, without: str | None = None) -> Ran:
        """Run the importer over a file, which may lack a column."""
        (ran,) = self.run_each([file], without=without)
        return ran

    def run_each(self, files: Iterable[File], *, without: str | None = None) -> list[Ran]:
        """Run the importer over files, each by itself."""
        return asyncio.run(self._run_each(files, without))

    async def _run_each(self, files: Iterable[File], without: str | None) -> list[Ran]:
        found = []
        for file in files:
            with listening() as causes:
                layout, rows = self._laid_out(file, without)
                ends = await self._run_rows(layout, rows)
            found.append(Ran({each.result.number: _outcome(each) for each in ends}, causes))
        return found

    def run_chain(self, first: File, second: File) -> dict[int, Outcome]:
        """Run the importer over the two chunks of a chain, as when there are too many rows."""
        layout, rows = self._laid_out(first)
        _, more = self._laid_out(second)
        with listening():
            ends = asyncio.run(self._run_rows(layout, rows, more))
        return {each.result.number: _outcome(each) for each in ends}

    def group(self, file: File) -> list[dict[int, int]]:
        """Return the group keys of a file's rows, by kind and row number."""
        layout, rows = self._laid_out(file)
        cells = [row.cells for row in rows]
        directory = WorldDirectory(self.world)
        with listening():
            groups = asyncio.run(
                group_rows(self.importer, layout, cells, directory, self._together)
            )
        return [
            {number: key for number, key in zip(file, keys, strict=True) if key is not None}
            for keys in groups.kinds
        ]

    def _laid_out(self, file: File, without: str | None = None) -> tuple[Layout, list[ReadRow]]:
        kept = [index for index, name in enumerate(self.names) if name != without]
        positions = {self.names[index]: place for place, index in enumerate(kept)}
        rows = [ReadRow(number, [cells[index] for index in kept]) for number, cells in file.items()]
        return Layout(positions=positions, width=len(kept)), rows


def _brief(change: Change) -> str:
    """Write a change down with the names of cases, users and roles alone."""
    values = {each.name: getattr(change, each.name) for each in fields(change)}  # type: ignore[arg-type]
    named = (f"{name}={_name(value)}" for name, value in values.items() if value is not None)
    return f"{type(change).__name__}({', '.join(named)})"


def _name(value: object) -> str:
    if isinstance(value, Case | User):
        return value.tag_id or str(value.id)
    return value.key if isinstance(value, Role) else repr(value)


def _outcome(end: RowEnd) -> Outcome:
    plan, result = end
    return Outcome(
        outcome=result.outcome.name if result.outcome else None,
        message=result.message,
        errors=[
            {name: value for name, value in error.items() if name != "value"}
            for error in result.errors
        ],
        asks=[(planned.keys, planned.intent) for planned in plan.changes],
        changes=[planned.change for planned in plan.changes],
    )


class _Listener(logging.Handler):
    """Keeps the exceptions of a plugin that the engine logs."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: list[Cause] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception, or else the message."""
        error = record.exc_info[1] if record.exc_info else None
        self.causes.append(describe(error) if error else Cause(record.getMessage(), ""))


def describe(error: BaseException) -> Cause:
    """Write an exception down."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    place = traceback.extract_tb(error.__traceback__)[-1:]
    at = f" ({Path(place[0].filename).name}:{place[0].lineno})" if place else ""
    return Cause(f"{text:.200}", at)


@contextmanager
def listening() -> Iterator[list[Cause]]:
    """Collect the exceptions of a plugin, and keep them out of the log."""
    logger, listener = logging.getLogger("importers"), _Listener()
    # Checks make plugins fail on purpose: problems report that, and the log of the tests need not.
    was, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield listener.causes
    finally:
        logger.removeHandler(listener)
        logger.propagate = was
