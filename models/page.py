"""Pages of lists: read onwards from a key, never by offset."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from models.list_query import ListQuery
from models.list_statement import ListStatement

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asyncpg import Connection, Record

    from models.list_query import Condition, Listing, Window

# A word that a third of the rows have fills a page from so many times its rows.
_NEARBY_PAGES = 4
# The places of `page_parent` and `page_key` among the columns of a page.
_PAGE_PARENT, _PAGE_KEY = 0, -1


class Page(NamedTuple):
    """Rows in the order of the list, each with its `Listing.place` as `page_key`.

    `has_more` tells of further rows inside the window, in the direction of reading.
    """

    rows: Sequence[Record]
    has_more: bool


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

    A search may take three. A common word fills the page from the next few rows of the list. Only
    if it does not, and the list has further rows, all rows with the words are looked for, which
    takes the longer the more they are.

    Args:
        parents: what the lists belong to; for a list of the app, the app alone.
        columns: which are enough; by default all of the listed table.
    """
    query = ListQuery(app_id, listing, parents, conditions)
    if any(condition.is_tried_nearby for condition in conditions):
        nearest = _NEARBY_PAGES * (window.size + 1)
        pages = await read_pages(db, query, window, columns, nearest=nearest)
        if all(page.has_more for page in pages.values()):
            return pages
        if not await _have_more_than(db, query, window, nearest):
            return pages
    return await read_pages(db, query, window, columns)


async def _have_more_than(db: Connection, query: ListQuery, window: Window, number: int) -> bool:
    """Tell whether any list, without its searches, has more rows inside a window."""
    statement = ListStatement(query)
    parents = statement.parents()
    where = statement.where("p.parent", is_nearby=True) + statement.within(window)
    more = f"EXISTS (SELECT 1 FROM {query.listing.table} t WHERE {where} OFFSET {number})"
    found: bool = await db.fetchval(f"SELECT bool_or({more}) FROM {parents}", *statement.values)
    return found


async def read_pages(
    db: Connection,
    query: ListQuery,
    window: Window,
    columns: Collection[str] | None,
    *,
    nearest: int | None = None,
) -> dict[int, Page]:
    """Read the pages with one statement.

    Args:
        nearest: how many rows to search, the next ones of the list; by default all.
    """
    sql, values = page_statement(query, window, columns, nearest=nearest)
    rows = await db.fetch(sql, *values)
    return _cut_pages(rows, query.parents, window, is_falling=_is_falling(query.listing, window))


def page_statement(
    query: ListQuery,
    window: Window,
    columns: Collection[str] | None,
    *,
    nearest: int | None = None,
) -> tuple[str, Sequence[object]]:
    """Return the statement that reads pages, their rows in any order, and its parameters.

    The page is cut before tables are joined to it, so that the join reads no more than its rows:

        SELECT p.parent AS page_parent, l.* FROM unnest($2::text::bigint[]) AS p(parent), LATERAL (
          SELECT u.email AS user_email, t.user_id AS page_key FROM (
            SELECT t.* FROM assignments t
            WHERE t.app_id = $1 AND t.case_id = p.parent AND t.user_id > $3
            ORDER BY t.user_id ASC LIMIT $4) t JOIN users u ON u.id = t.user_id) l

    It reads one row more than the page has, which tells whether the list goes on.
    """
    listing = query.listing
    statement = ListStatement(query)
    parents = statement.parents()
    is_nearby = nearest is not None
    where = statement.where("p.parent", is_nearby=is_nearby) + statement.within(window)
    lateral = "LATERAL" if listing.parent else ""
    order = listing.order("DESC" if _is_falling(listing, window) else "ASC")
    cut = f"ORDER BY {order} LIMIT {statement.add(window.size + 1)}"
    if is_nearby:
        near = f"ORDER BY {order} LIMIT {nearest}"
        rows_read = statement.nearby(where, near)
    elif statement.kinds:
        rows_read = f"({statement.union(f'AND {where} {cut}')}) t"
    else:
        rows_read = f"{statement.source()} t WHERE {where}"
    page = f"FROM {rows_read} {cut}"
    chosen = f"(SELECT t.* {page}) t"
    if any(condition.is_search for condition in query.conditions):
        # Narrow rows are sorted in half the time.
        chosen = f"(SELECT t.id {page}) AS found JOIN {listing.table} t USING (id)"
    sql = f"""
        SELECT p.parent AS page_parent, l.* FROM {parents}, {lateral} (
          SELECT {listing.select(columns)}, {listing.place} AS page_key
          FROM {chosen} {listing.joins}) l
    """
    return sql, statement.values


def _is_falling(listing: Listing, window: Window) -> bool:
    return listing.is_descending != window.is_backward


def _cut_pages(
    rows: Sequence[Record], parents: Sequence[int], window: Window, *, is_falling: bool
) -> dict[int, Page]:
    """Give each parent its rows, in the order of the list."""
    found: dict[int, list[Record]] = {parent: [] for parent in parents}
    # Joins keep no order. By place, not by name: this is done for each row of a hundred lists.
    for row in sorted(rows, key=itemgetter(_PAGE_KEY), reverse=is_falling):
        found[row[_PAGE_PARENT]].append(row)
    kept = {parent: some[: window.size] for parent, some in found.items()}
    if window.is_backward:
        for some in kept.values():
            some.reverse()
    return {parent: Page(kept[parent], len(some) > window.size) for parent, some in found.items()}
