"""Import rows: what became of each row of a file."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry

from api.schema.connection import Connection, PageArguments, connect
from models.listing import IMPORT_ROWS, has_outcome, has_row_status
from models.page import Condition
from models.row import RowOutcome as StoredOutcome
from models.row import RowStatus as StoredStatus
from models.row import row_number

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Record

    from api.access.context import Context


@strawberry.enum(description="Whether a row took effect.")
class RowStatus(Enum):
    """The API's names of `models.row.RowStatus`."""

    PASSED = strawberry.enum_value("PASSED", description="It took effect, or had none to take.")
    FAILED = strawberry.enum_value("FAILED", description="It did nothing; its errors say why.")
    CANCELLED = strawberry.enum_value(
        "CANCELLED", description="The import was cancelled before the row's turn."
    )


@strawberry.enum(description="What a passed row did.")
class RowOutcome(Enum):
    """The API's names of `models.row.RowOutcome`."""

    CREATED = strawberry.enum_value("CREATED", description="It created something.")
    UPDATED = strawberry.enum_value("UPDATED", description="It changed something.")
    REMOVED = strawberry.enum_value("REMOVED", description="It removed something.")
    UNCHANGED = strawberry.enum_value("UNCHANGED", description="Everything was so already.")


@strawberry.type(
    name="ImportError", description="One thing that is wrong with a file or with a row."
)
class ImportProblem:
    """An error as the engine stores it."""

    code: str = strawberry.field(description="Stable, upper-case name of the kind of error.")
    message: str = strawberry.field(description="A sentence for the person who made the file.")
    column: str | None = strawberry.field(
        description="The column at fault; null for an error of the whole row or file."
    )
    value: str | None = strawberry.field(description="The cell at fault, shortened if long.")
    suggestion: str | None = strawberry.field(description="What was probably meant.")

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> ImportProblem:
        """Make it of stored JSON."""
        return cls(
            code=stored["code"],
            message=stored["message"],
            column=stored.get("column"),
            value=stored.get("value"),
            suggestion=stored.get("suggestion"),
        )


def problems_of(stored: str | None) -> list[ImportProblem]:
    """Read a JSON column of errors."""
    return [ImportProblem.of(error) for error in json.loads(stored)] if stored else []


@strawberry.type(description="One cell of a row.")
class Cell:
    """A cell and the column it stands in."""

    column: str = strawberry.field(
        description="The column's name in the file; empty for a cell beyond the header."
    )
    value: str = strawberry.field(description="The cell's text.")


@strawberry.type(description="One row of an import's file, and what became of it.")
class ImportRow:
    """The result of a row."""

    number: int = strawberry.field(
        description="The number that a spreadsheet shows: the header is row 1."
    )
    cells: list[Cell] = strawberry.field(description="The row's cells, in the file's own order.")
    status: RowStatus = strawberry.field(description="Whether the row took effect.")
    outcome: RowOutcome | None = strawberry.field(description="What it did; null unless it passed.")
    message: str | None = strawberry.field(
        description="A remark on a row that passed, e.g. that it repeats another."
    )
    errors: list[ImportProblem] = strawberry.field(description="Everything wrong with the row.")

    @classmethod
    def from_row(cls, header: Sequence[str], row: Record) -> ImportRow:
        """Make it of a stored row and the header of its file."""
        outcome = row["outcome"]
        return cls(
            number=row_number(row["id"]),
            cells=_cells(header, json.loads(row["cells"])),
            status=RowStatus[StoredStatus(row["status"]).name],
            outcome=RowOutcome[StoredOutcome(outcome).name] if outcome else None,
            message=row["message"],
            errors=problems_of(row["errors"]),
        )


ImportRowConnection = Connection[ImportRow]


async def list_rows(
    context: Context,
    of_import: Record,
    arguments: PageArguments,
    status: Collection[RowStatus] | None,
    outcome: Collection[RowOutcome] | None,
) -> Connection[Any]:
    """Page through an import's rows."""
    conditions: list[Condition] = []
    if status is not None:
        conditions.append(has_row_status([StoredStatus[each.name] for each in status]))
    if outcome is not None:
        conditions.append(has_outcome([StoredOutcome[each.name] for each in outcome]))
    if of_import["purged_at"]:
        conditions.append(Condition("false"))
    header = of_import["header"] or ()
    return await connect(
        context,
        IMPORT_ROWS,
        lambda rows: [ImportRow.from_row(header, row) for row in rows],
        arguments,
        conditions,
        parent=of_import["id"],
        total=_known_total(of_import, status, outcome),
    )


def _known_total(
    counters: Record,
    status: Collection[RowStatus] | None,
    outcome: Collection[RowOutcome] | None,
) -> int:
    """Add up the import's own counters, instead of counting a million rows."""
    if counters["purged_at"]:
        return 0
    if outcome is None:
        wanted = set(RowStatus) if status is None else set(status)
        return sum(counters[each.name.lower()] for each in wanted)
    if status is not None and RowStatus.PASSED not in status:
        return 0
    return sum(counters[each.name.lower()] for each in set(outcome))


def _cells(header: Sequence[str], values: Sequence[str]) -> list[Cell]:
    names = [*header, *[""] * (len(values) - len(header))]
    return [Cell(column=name, value=value) for name, value in zip(names, values, strict=False)]
