"""Pages of a list: read onwards from a key, never by offset."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Connection, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list reads, and in which order. In its SQL the listed table is `t`.

    Args:
        name: tells its cursors from those of other lists.
        table: the table.
        columns: what is selected, as SQL; or by name, when fewer of them can be asked for.
        joins: tables that the columns need; never any that leaves rows out.
        key: unique column, an integer, that the list is ordered by.
        parent: condition that ties rows to what they belong to, `{}`; empty for lists of the app.
        is_descending: whether the largest key comes first.
    """

    name: str
    table: str
    columns: str | Mapping[str, str] = "t.*"
    joins: str = ""
    key: str = "t.id"
    parent: str = ""
    is_descending: bool = False

    def select(self, wanted: Collection[str] | None = None) -> str:
        """Return what to select: every column, or no others than those wanted if that is known."""
        if isinstance(self.columns, str):
            return self.columns
        names = [name for name in self.columns if wanted is None or name in wanted]
        return ", ".join(f"{self.columns[name]} AS {name}" for name in names) or "NULL"


class Condition(NamedTuple):
    """A condition on the rows of a list; `{}` in the SQL, if there is one, is the value."""

    sql: str
    value: object = None


class Window(NamedTuple):
    """Which part of a list: so many rows after one key and before another.

    `is_backward` takes them from the end.
    """

    size: int
    after: int | None = None
    before: int | None = None
    is_backward: bool = False


class Page(NamedTuple):
    """Rows in the order of the list, each with its `page_key`.

    `has_more` tells of further rows inside the window, in the direction of reading.
    """

    rows: Sequence[Record]
    has_more: bool


class _Statement:
    """Collects the parameters of a statement; the first is always the app."""

    def __init__(self, app_id: int) -> None:
        self.values: list[object] = [app_id]

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def where(self, listing: Listing, conditions: Sequence[Condition], parent: str | None) -> str:
        found = ["t.app_id = $1"]
        if parent is not None:
            found.append(listing.parent.format(parent))
        found += [self._condition(condition) for condition in conditions]
        return " AND ".join(found)

    def _condition(self, condition: Condition) -> str:
        if "{" not in condition.sql:
            return condition.sql
        return condition.sql.format(self.add(condition.value))

    def page(
        self,
        listing: Listing,
        conditions: Sequence[Condition],
        window: Window,
        parent: str | None = None,
        columns: Collection[str] | None = None,
    ) -> str:
        where = self.where(listing, conditions, parent)
        up, down = ("<", ">") if listing.is_descending else (">", "<")
        if window.after is not None:
            where += f" AND {listing.key} {up} {self.add(window.after)}"
        if window.before is not None:
            where += f" AND {listing.key} {down} {self.add(window.before)}"
        order = "DESC" if listing.is_descending != window.is_backward else "ASC"
        return f"""
            SELECT {listing.select(columns)}, {listing.key} AS page_key FROM (
              SELECT t.* FROM {listing.table} t WHERE {where}
              ORDER BY {listing.key} {order} LIMIT {self.add(window.size + 1)}) t {listing.joins}
            """


async def fetch_page(
    db: Connection,
    app_id: int,
    listing: Listing,
    conditions: Sequence[Condition],
    window: Window,
) -> Page:
    """Read one page of a list of the app."""
    statement = _Statement(app_id)
    sql = statement.page(listing, conditions, window)
    rows = await db.fetch(sql, *statement.values)
    return _page(window, _ordered(listing, window, rows))


async def fetch_pages(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    window: Window,
    columns: Collection[str] | None = None,
) -> dict[int, Page]:
    """Read the same page of the lists of many parents with one statement.

    Args:
        columns: which are enough; by default all are read.
    """
    statement = _Statement(app_id)
    keys = statement.add(list(parents))
    sql = statement.page(listing, conditions, window, "p.parent", columns)
    rows = await db.fetch(
        f"SELECT p.parent AS page_parent, l.* FROM unnest({keys}::bigint[]) AS p(parent),"
        f" LATERAL ({sql}) l",
        *statement.values,
    )
    found: dict[int, list[Record]] = {parent: [] for parent in parents}
    for row in _ordered(listing, window, rows):
        found[row["page_parent"]].append(row)
    return {parent: _page(window, some) for parent, some in found.items()}


async def count_rows(
    db: Connection, app_id: int, listing: Listing, conditions: Sequence[Condition]
) -> int:
    """Count a list of the app."""
    statement = _Statement(app_id)
    where = statement.where(listing, conditions, None)
    sql = f"SELECT count(*) FROM {listing.table} t WHERE {where}"
    return int(await db.fetchval(sql, *statement.values))


async def count_each(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
) -> dict[int, int]:
    """Count the lists of many parents with one statement."""
    return await _of_each(db, app_id, listing, parents, conditions, ask="(SELECT count(*) FROM {})")


async def has_rows(
    db: Connection, app_id: int, listing: Listing, conditions: Sequence[Condition]
) -> bool:
    """Tell whether a list of the app has any row that meets the conditions."""
    statement = _Statement(app_id)
    where = statement.where(listing, conditions, None)
    sql = f"SELECT EXISTS (SELECT 1 FROM {listing.table} t WHERE {where})"
    return bool(await db.fetchval(sql, *statement.values))


async def has_each(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
) -> dict[int, bool]:
    """Tell of the lists of many parents, with one statement, whether they have any such row."""
    return await _of_each(db, app_id, listing, parents, conditions, ask="EXISTS (SELECT 1 FROM {})")


async def _of_each(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    ask: str,
) -> dict[int, Any]:
    """Ask something of the list of each parent; `ask` has `{}` where its rows are."""
    statement = _Statement(app_id)
    keys = statement.add(list(parents))
    where = statement.where(listing, conditions, "p.parent")
    rows = await db.fetch(
        f"SELECT p.parent, {ask.format(f'{listing.table} t WHERE {where}')}"
        f" FROM unnest({keys}::bigint[]) AS p(parent)",
        *statement.values,
    )
    return {row[0]: row[1] for row in rows}


async def find_by_id(
    db: Connection, app_id: int, listing: Listing, ids: Sequence[int]
) -> list[Record]:
    """Read the rows that have these primary keys, in any order."""
    return await _find(db, app_id, listing, Condition("t.id = ANY({}::bigint[])", ids))


async def find_one(
    db: Connection, app_id: int, listing: Listing, condition: Condition
) -> Record | None:
    """Read the only row that meets the condition."""
    rows = await _find(db, app_id, listing, condition)
    return rows[0] if rows else None


async def _find(
    db: Connection, app_id: int, listing: Listing, condition: Condition
) -> list[Record]:
    statement = _Statement(app_id)
    where = statement.where(listing, [condition], None)
    sql = f"SELECT {listing.select()} FROM {listing.table} t {listing.joins} WHERE {where}"
    found: list[Record] = await db.fetch(sql, *statement.values)
    return found


def _ordered(listing: Listing, window: Window, rows: Sequence[Any]) -> list[Any]:
    """Sort rows in the direction of reading."""
    is_falling = listing.is_descending != window.is_backward
    return sorted(rows, key=itemgetter("page_key"), reverse=is_falling)


def _page(window: Window, rows: list[Any]) -> Page:
    kept = rows[: window.size]
    if window.is_backward:
        kept.reverse()
    return Page(kept, len(rows) > window.size)
