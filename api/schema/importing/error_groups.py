"""Groups of failed rows, for an admin who mends many of them at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import strawberry
from strawberry import field

from api.batch.row_type import RowColumn, RowType
from api.language import translator
from api.schema.connection import Connection, PageArguments, connect
from api.schema.importing.import_rows import Param, params_of
from models.error_group import EARLY_ROWS, MOST_GROUPS, group_errors, groups_sql
from models.list_query import Condition
from models.listing import ERROR_GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from api.access.context import Context


@strawberry.type(
    description="The failed rows of an import that have the same code at the same column and "
    "value. A row with several errors is in several groups."
)
class ErrorGroup:
    column: str | None = field(description="The column; null for errors of whole rows.")
    code: str = field(description="The code of their errors.")
    value: str | None = field(description="The cell that they have in common, as errors show it.")
    suggestion: str | None = field(description="What was probably meant, in the first row.")
    message: str = field(description="What is wrong in the first row.")
    params: list[Param] = field(description="What that message is made of.")
    count: int = field(description="How many rows they are.")
    rows: list[str] = field(
        description="Their numbers, single (`301`) and in runs (`18-25`); the first 20 of these."
    )
    first_row: int = field(description="The number of the first row.")


class GroupedRows(NamedTuple):
    """What is known of an import whose failed rows are to be grouped.

    Args:
        key: the import's.
        failed: how many rows have failed.
        finished_at: its end; None while it runs.
        grouped_at: the end at which the groups were made that are stored.
    """

    key: int
    failed: int
    finished_at: datetime | None
    grouped_at: datetime | None


@strawberry.type(
    name="ErrorGroupConnection",
    description="One page of groups, the largest first; NOT_APPLIED, which blames no row, last.",
)
class ErrorGroupConnection(Connection[ErrorGroup]):
    of: strawberry.Private[GroupedRows]

    @strawberry.field(
        description=f"Whether these are all groups of all failed rows. While an import runs, only "
        f"its first {EARLY_ROWS:,} failed rows are grouped; of a finished one, the {MOST_GROUPS:,} "
        f"largest groups are kept."
    )
    async def is_complete(self) -> bool:
        is_all = self.of.finished_at is not None or self.of.failed <= EARLY_ROWS
        return is_all and await self.slice.count() < MOST_GROUPS


def _of_error(read: Callable[[Any], Any]) -> RowColumn:
    return RowColumn(("error",), lambda stored: read(json.loads(stored)))


GROUP_ROW = RowType(
    ErrorGroup,
    column=_of_error(lambda error: error.get("column")),
    code=_of_error(lambda error: error["code"]),
    value=_of_error(lambda error: error.get("value")),
    suggestion=_of_error(lambda error: error.get("suggestion")),
    message=_of_error(lambda error: translator().error(error)),
    params=_of_error(params_of),
)


async def connect_groups(
    context: Context, grouped: GroupedRows, arguments: PageArguments
) -> ErrorGroupConnection:
    """Read a page of an import's groups; those of a finished one are made if they are not there."""
    listing = ERROR_GROUPS
    conditions = [] if grouped.failed else [Condition("false")]
    if grouped.finished_at is None:
        sql = groups_sql(context.scope.app_id, grouped.key, EARLY_ROWS)
        # Another list, of this import alone.
        listing = replace(listing, name=f"{listing.name}-{grouped.key}", table=f"({sql})")
    elif grouped.failed and grouped.grouped_at != grouped.finished_at:
        await context.scope.write(group_errors, grouped.key)
    found = await connect(context, listing, GROUP_ROW, arguments, conditions, parent=grouped.key)
    return ErrorGroupConnection(
        slice=found.slice, edges=found.edges, page_info=found.page_info, of=grouped
    )
