"""Counts of row results, as an import's counters have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.row import RowOutcome, RowStatus, row_key

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asyncpg import Connection

    from models.row import RowResult


class Tally(NamedTuple):
    """How many rows have ended in each status, and with each outcome, in the enums' order.

    Beside them, how many removals belong to groups and to no row.
    """

    statuses: Sequence[int]
    outcomes: Sequence[int]
    removals: Sequence[int]

    @classmethod
    def of(cls, results: Collection[RowResult]) -> Tally:
        statuses = [result.status for result in results]
        outcomes = [result.outcome for result in results]
        return cls(
            [statuses.count(status) for status in RowStatus],
            [outcomes.count(outcome) for outcome in RowOutcome],
            [sum([result.group_removals for result in results])],
        )

    @classmethod
    def of_failed(cls, rows: int) -> Tally:
        failed = [rows if status is RowStatus.FAILED else 0 for status in RowStatus]
        return cls(failed, [0] * len(RowOutcome), [0])

    def plus(self, other: Tally) -> Tally:
        pairs = (zip(one, two, strict=True) for one, two in zip(self, other, strict=True))
        return Tally(*([one + two for one, two in pair] for pair in pairs))

    def minus(self, other: Tally) -> Tally:
        return self.plus(Tally(*([-each for each in counts] for counts in other)))


async def tally_of(db: Connection, import_id: int, numbers: Collection[int]) -> Tally:
    """Count the results that some rows have already."""
    sql = f"""
        SELECT {", ".join(f"count(*) FILTER (WHERE status = {each:d})" for each in RowStatus)},
          {", ".join(f"count(*) FILTER (WHERE outcome = {each:d})" for each in RowOutcome)},
          coalesce(sum((edits::json ->> 'removals')::int) FILTER (WHERE edit_count > 1), 0)
        FROM unnest($1::bigint[]) AS k(id) JOIN import_rows USING (id)
    """
    row = await db.fetchrow(sql, [row_key(import_id, number) for number in numbers])
    first, last = len(RowStatus), len(RowStatus) + len(RowOutcome)
    return Tally(row[:first], row[first:last], row[last:])
