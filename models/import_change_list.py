"""What an import has changed, or a dry run would change: the changes of its rows, as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.described_enum import DescribedIntEnum
from models.list_query import Condition, Listing, Rank
from models.listing import has_result
from models.row import RowOutcome, row_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from asyncpg import Connection


class ChangeKind(DescribedIntEnum):
    """What a change does; its number is that of the outcome of a row that does nothing else."""

    CREATE = int(RowOutcome.CREATED), "It creates something."
    UPDATE = int(RowOutcome.UPDATED), "It changes something that is there."
    REMOVE = int(RowOutcome.REMOVED), "It removes something."


class _RowListing(Listing):
    """A list in the order of the rows, of which each has one place."""

    def order(self, direction: str) -> str:
        return f"t.id {direction}"

    def compare(self, sign: str, place: str) -> str:
        return f"t.id {sign} ({place}::bigint[])[1]"


class _PlaceListing(Listing):
    """A list in the order of the rows, and within a row in that of its changes."""

    def compare(self, sign: str, place: str) -> str:
        # The index knows no places within rows: without the first condition, a page deep in the
        # list would be looked for from its beginning.
        bound = f"t.id {sign[0]}= ({place}::bigint[])[1]"
        return f"{bound} AND {super().compare(sign, place)}"


_COLUMNS = "id, app_id, outcome, case_id, user_id, before, after, edits, edit_count, is_planned"
# One of several changes of a row, [case, user, before, after].
_EDIT = """
    CASE WHEN edit_count IS NOT NULL THEN coalesce(edits::json -> 'assignments' -> place,
      edits::json -> 'others' -> (place - json_array_length(edits::json -> 'assignments'))) END
"""
# One that does not say what it changes is of its row's kind.
_KIND_AMONG_SEVERAL = f"""
    CASE WHEN edit_count IS NULL OR edit ->> 2 IS NULL AND edit ->> 3 IS NULL THEN outcome
      WHEN edit ->> 2 IS NULL THEN {ChangeKind.CREATE:d}
      WHEN edit ->> 3 IS NULL THEN {ChangeKind.REMOVE:d} ELSE {ChangeKind.UPDATE:d} END
"""


_COMMON: Mapping[str, Any] = {
    "name": "row-change",
    "rank": Rank("t.id"),
    "parent": "t.id > {0} << 32 AND t.id < ({0} + 1) << 32",
}
SINGLE_CHANGES: Listing = _RowListing(
    table=f"(SELECT {_COLUMNS}, 0 AS place, NULL::json AS edit, outcome AS kind FROM import_rows)",
    key="0",
    **_COMMON,
)
"""The changes of an import whose rows make one each, if they make any."""
SEVERAL_CHANGES: Listing = _PlaceListing(
    table=f"""(
      SELECT {_COLUMNS}, place, edit, {_KIND_AMONG_SEVERAL} AS kind FROM (
        SELECT {_COLUMNS}, place, {_EDIT} AS edit FROM import_rows,
          LATERAL generate_series(0, coalesce(edit_count, 1) - 1) AS place) c)""",
    key="t.place",
    **_COMMON,
)
"""The changes of an import of which some rows make several."""


def is_in_rows_that(outcomes: Collection[RowOutcome], *, has_several: bool) -> Condition:
    """Ask for changes of rows with these outcomes."""
    if not has_several:
        return has_result(None, outcomes)
    return Condition("t.outcome = ANY({}::int[])", [int(outcome) for outcome in outcomes])


def is_of_kind(kinds: Collection[ChangeKind]) -> Condition:
    return Condition("t.kind = ANY({}::int[])", [int(kind) for kind in kinds])


def is_about_case(key: int) -> Condition:
    return _is_about("case_id", 0, key)


def is_about_user(key: int) -> Condition:
    return _is_about("user_id", 1, key)


def _is_about(column: str, place: int, key: int) -> Condition:
    """Ask for changes of a case, or of a user: `t.case_id = 7 OR (t.edit ->> 0)::bigint = 7`."""
    return Condition(f"(t.{column} = {{0}} OR (t.edit ->> {place})::bigint = {{0}})", key)


IS_PLANNED = Condition("t.is_planned")
"""Changes that are still to be made, of an import that is held."""


async def is_retried(db: Connection, app_id: int, import_id: int) -> bool:
    """Tell whether an import that has not ended is a retry: other rows may have passed before."""
    sql = "SELECT retry IS NOT NULL FROM imports WHERE app_id = $1 AND id = $2"
    found: bool = await db.fetchval(sql, app_id, import_id)
    return found


async def has_several_changes(db: Connection, app_id: int, import_id: int) -> bool:
    """Tell whether some rows of an import make several changes."""
    sql = """
        SELECT EXISTS (SELECT 1 FROM import_rows
          WHERE id > $2 AND id < $3 AND app_id = $1 AND edit_count IS NOT NULL)
    """
    limits = row_key(import_id, 0), row_key(import_id + 1, 0)
    found: bool = await db.fetchval(sql, app_id, *limits)
    return found
