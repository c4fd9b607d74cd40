"""What else is asked of lists than pages: how many rows there are, whether any, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.list_query import ListQuery, Window
from models.list_statement import ListStatement
from models.page import read_pages

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asyncpg import Connection, Record

    from models.list_query import Condition, Listing

# So many rows are searched for words in a millisecond.
_NEAR = 200


async def count_rows(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
) -> dict[int, int]:
    query = ListQuery(app_id, listing, parents, conditions)
    return await _ask_each(db, query, "(SELECT count(*) FROM {})")


async def has_rows(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
) -> dict[int, bool]:
    """Tell of the lists of many parents whether they have any such row.

    With one statement, or two for a search: a common word is among the first rows, and to look for
    all that have it takes long.
    """
    query = ListQuery(app_id, listing, parents, conditions)
    if any(condition.is_tried_nearby for condition in conditions):
        pages = await read_pages(db, query, Window(0), (), nearest=_NEAR)
        if all(page.has_more for page in pages.values()):
            return dict.fromkeys(pages, True)
    return await _ask_each(db, query, "EXISTS (SELECT 1 FROM {})")


async def _ask_each(db: Connection, query: ListQuery, ask: str) -> dict[int, Any]:
    """Ask something of the list of each parent.

        SELECT p.parent, (SELECT count(*) FROM assignments t
          WHERE t.app_id = $1 AND t.case_id = p.parent)
        FROM unnest($2::text::bigint[]) AS p(parent)

    Args:
        ask: the question, as SQL; its rows stand where `{}` is.
    """
    statement = ListStatement(query)
    parents = statement.parents()
    source = statement.source()
    where = statement.where("p.parent")
    rows = await db.fetch(
        f"SELECT p.parent, {ask.format(f'{source} t WHERE {where}')} FROM {parents}",
        *statement.values,
    )
    return {row[0]: row[1] for row in rows}


async def find_rows(
    db: Connection,
    app_id: int,
    listing: Listing,
    condition: Condition,
    columns: Collection[str] | None = None,
) -> list[Record]:
    """Read the rows that meet a condition, in any order: those of some keys, or of a name.

    Args:
        columns: which are enough; by default all of the listed table.
    """
    statement = ListStatement(ListQuery(app_id, listing, (), [condition]))
    source = statement.source()
    where = statement.where("")
    found: list[Record] = await db.fetch(
        f"SELECT {listing.select(columns)} FROM {source} t {listing.joins} WHERE {where}",
        *statement.values,
    )
    return found
