"""Pages of lists: read onwards from a key, never by offset; and what else is asked of lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Connection, Record


# A word that a third of the rows have fills a page from so many times its rows.
_NEARBY_PAGES = 4
# So many rows are searched for words in a millisecond.
_NEAR = 200
# The places of `page_parent` and `page_key` among the columns of a page.
_PAGE_PARENT, _PAGE_KEY = 0, -1

# Where a row stands in a list: its key, or what comes before the key in the order, and the key.
Place: TypeAlias = "int | tuple[int, ...]"


class Rank(NamedTuple):
    """A column that comes before the key in the order of a list.

    Args:
        column: the column.
        to_integer: SQL that makes an integer of it, for cursors; `{}` is the column.
        from_integer: SQL that makes a value of the column of that integer.
    """

    column: str
    to_integer: str = "{}"
    from_integer: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list reads, and in which order. In its SQL the listed table is `t`.

    Args:
        name: tells its cursors from those of other lists.
        table: the table.
        words: the view that searches read: the words, and the columns that conditions may name;
            empty if there is no search.
        joins: tables whose columns can be asked for, too; none that leaves rows out.
        aliases: what the names of joined tables' columns begin with → the table's name in `joins`.
        key: unique column, an integer, that the list is ordered by.
        rank: what it is ordered by first, if anything.
        updated: column with the time of a row's last change.
        parent: condition that ties rows to what they belong to, `{}`; empty for lists of the app.
        is_descending: whether the largest key comes first.
    """

    name: str
    table: str
    words: str = ""
    joins: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    key: str = "t.id"
    rank: Rank | None = None
    updated: str = "t.updated_at"
    parent: str = ""
    is_descending: bool = False

    @property
    def place(self) -> str:
        """What to select for the place of a row."""
        if self.rank is None:
            return self.key
        return f"ARRAY[{self.rank.to_integer.format(self.rank.column)}, {self.key}]"

    def order(self, direction: str) -> str:
        columns = [self.rank.column, self.key] if self.rank else [self.key]
        return ", ".join(f"{column} {direction}" for column in columns)

    def compare(self, sign: str, place: str) -> str:
        """Return the condition that rows stand on one side of a place.

        Example:
            >>> Listing(name="x", table="cases", rank=Rank("t.role_id")).compare(">", "$3")
            '(t.role_id, t.id) > (($3::bigint[])[1], ($3::bigint[])[2])'
        """
        if self.rank is None:
            return f"{self.key} {sign} {place}"
        rank, key = (f"({place}::bigint[])[{number}]" for number in (1, 2))
        return (
            f"({self.rank.column}, {self.key}) {sign}"
            f" ({self.rank.from_integer.format(rank)}, {key})"
        )

    def select(self, columns: Collection[str] | None = None) -> str:
        """Return what to select: the columns of these names, or all of the listed table.

        Example:
            >>> listing = Listing(name="x", table="assignments", aliases={"case_": "c"})
            >>> listing.select(["notify", "case_about"])
            'c.about AS case_about, t.notify AS notify'
        """
        if columns is None:
            return "t.*"
        # Sorted, as a set has no order and each order would be another statement to be prepared.
        # NULL where only cursors are selected: another column follows after a comma.
        return ", ".join(f"{self._source(name)} AS {name}" for name in sorted(columns)) or "NULL"

    def _source(self, name: str) -> str:
        for prefix, alias in self.aliases.items():
            if name.startswith(prefix):
                return f"{alias}.{name.removeprefix(prefix)}"
        return f"t.{name}"


class Condition(NamedTuple):
    """A condition on the rows of a list; `{}` or `{0}` in the SQL stands for the value.

    `is_search` says that it asks for words, which only the list's view has. `kinds` are conditions
    of which each row meets one at most, and `sql` is any of them; each has an index in the order of
    the list. `of_row` asks the same by look-ups of its own for each row: quick for few rows, where
    `sql` first finds everything that it may be about.
    """

    sql: str
    value: object = None
    is_search: bool = False
    kinds: Sequence[str] = ()
    of_row: str = ""

    @property
    def is_tried_nearby(self) -> bool:
        """Whether to ask it of the next rows of a list first, as they may fill the page."""
        return self.is_search or bool(self.of_row)


class Window(NamedTuple):
    """Which part of a list: `size` rows after one place and before another.

    `is_backward` takes them from the end.
    """

    size: int
    after: Place | None = None
    before: Place | None = None
    is_backward: bool = False


class Page(NamedTuple):
    """Rows in the order of the list, each with its `Listing.place` as `page_key`.

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

    def parents(self, listing: Listing, keys: Sequence[int]) -> str:
        """Return the table `p` with a row for each list; a list of the app belongs to the app."""
        if not listing.parent:
            return "(SELECT $1::bigint) AS p(parent)"
        # As text: of a list, asyncpg asks of each item several times whether it is a list, too.
        keys_text = self.add(f"{{{','.join(map(str, keys))}}}")
        return f"unnest({keys_text}::text::bigint[]) AS p(parent)"

    def source(self, listing: Listing, conditions: Sequence[Condition]) -> str:
        """Return what the rows are read from: the table, all of some kinds, or of a search.

            (SELECT * FROM case_words t WHERE t.words @@ to_tsquery('simple', $2) OFFSET 0)

        The OFFSET lets PostgreSQL look for nothing but the words. It would rather walk the list in
        its order, and make the words of each row again, of all rows where few are found.
        """
        if any(each.is_search for each in conditions):
            return f"(SELECT * FROM {listing.words} t WHERE {self.words(conditions)} OFFSET 0)"
        kinds = kinds_of(conditions)
        return f"({union_of(listing, kinds)})" if kinds else listing.table

    def words(self, conditions: Sequence[Condition]) -> str:
        return self._all_of([each for each in conditions if each.is_search])

    def nearby(
        self, listing: Listing, conditions: Sequence[Condition], where: str, cut: str
    ) -> str:
        """Return the next rows of a list that meet the conditions that are tried nearby.

        (SELECT * FROM case_words t WHERE t.app_id = $1 ORDER BY t.id ASC LIMIT 102) t
        WHERE t.words @@ to_tsquery('simple', $3)
        """
        table = listing.words if any(each.is_search for each in conditions) else listing.table
        tried = [
            each._replace(sql=each.of_row or each.sql)
            for each in conditions
            if each.is_tried_nearby
        ]
        return f"(SELECT * FROM {table} t WHERE {where} {cut}) t WHERE {self._all_of(tried)}"

    def within(self, listing: Listing, window: Window) -> str:
        """Return the conditions that rows stand inside a window."""
        up, down = ("<", ">") if listing.is_descending else (">", "<")
        limits = ((up, window.after), (down, window.before))
        return "".join(
            f" AND {listing.compare(sign, self.add(place))}"
            for sign, place in limits
            if place is not None
        )

    def where(
        self,
        listing: Listing,
        conditions: Sequence[Condition],
        parent: str,
        *,
        is_nearby: bool = False,
    ) -> str:
        """Return the conditions but for those that the rows are read by.

        These are searches and kinds, which `source` has, or what is tried nearby.
        """
        # Also where a policy hides other apps: not every database has the role for that.
        found = ["t.app_id = $1"]
        if parent and listing.parent:
            found.append(listing.parent.format(parent))
        kinds = () if is_nearby else kinds_of(conditions)
        others = [
            each
            for each in conditions
            if not (each.is_search or (kinds and each.kinds is kinds))
            and not (is_nearby and each.of_row)
        ]
        return " AND ".join([*found, *([self._all_of(others)] if others else [])])

    def _all_of(self, conditions: Sequence[Condition]) -> str:
        return " AND ".join(
            each.sql.format(self.add(each.value)) if "{" in each.sql else each.sql
            for each in conditions
        )


def kinds_of(conditions: Sequence[Condition]) -> Sequence[str]:
    """Return the kinds of the condition that has some; a search reads what it finds instead."""
    if any(each.is_search for each in conditions):
        return ()
    return next((each.kinds for each in conditions if each.kinds), ())


def union_of(listing: Listing, kinds: Sequence[str], rest: str = "") -> str:
    """Return a query of the rows of each kind, whose own index PostgreSQL then walks.

    It would not merge the indexes by itself, so the rest of each query cuts a page of one kind:

        (SELECT * FROM import_rows t WHERE t.status = 2 AND t.app_id = $1 ORDER BY t.id LIMIT $2)
        UNION ALL
        (SELECT * FROM import_rows t WHERE t.outcome = 1 AND t.app_id = $1 ORDER BY t.id LIMIT $2)
    """
    return " UNION ALL ".join(
        f"(SELECT * FROM {listing.table} t WHERE {kind} {rest})" for kind in kinds
    )


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
    read = partial(
        _read_pages, db, app_id, listing, parents, conditions, window=window, columns=columns
    )
    if any(condition.is_tried_nearby for condition in conditions):
        nearest = _NEARBY_PAGES * (window.size + 1)
        pages = await read(nearest=nearest)
        if all(page.has_more for page in pages.values()):
            return pages
        if not await _have_more_than(
            db, app_id, listing, parents, conditions, window=window, number=nearest
        ):
            return pages
    return await read()


async def _have_more_than(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    window: Window,
    number: int,
) -> bool:
    """Tell whether any list, without its searches, has more rows inside a window."""
    statement = _Statement(app_id)
    lists = statement.parents(listing, parents)
    where = statement.where(listing, conditions, "p.parent", is_nearby=True)
    where += statement.within(listing, window)
    more = f"EXISTS (SELECT 1 FROM {listing.table} t WHERE {where} OFFSET {number})"
    found: bool = await db.fetchval(f"SELECT bool_or({more}) FROM {lists}", *statement.values)
    return found


async def _read_pages(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    window: Window,
    columns: Collection[str] | None,
    nearest: int | None = None,
) -> dict[int, Page]:
    """Read the pages with one statement.

    Args:
        nearest: how many rows to search, the next ones of the list; by default all.
    """
    sql, values = page_statement(
        app_id, listing, parents, conditions, window=window, columns=columns, nearest=nearest
    )
    rows = await db.fetch(sql, *values)
    return _cut_pages(rows, parents, window, is_falling=_is_falling(listing, window))


def page_statement(
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    window: Window,
    columns: Collection[str] | None,
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
    statement = _Statement(app_id)
    lists = statement.parents(listing, parents)
    is_nearby = nearest is not None
    where = statement.where(listing, conditions, "p.parent", is_nearby=is_nearby)
    where += statement.within(listing, window)
    lateral = "LATERAL" if listing.parent else ""
    order = listing.order("DESC" if _is_falling(listing, window) else "ASC")
    cut = f"ORDER BY {order} LIMIT {statement.add(window.size + 1)}"
    if is_nearby:
        near = f"ORDER BY {order} LIMIT {nearest}"
        rows_read = statement.nearby(listing, conditions, where, near)
    elif kinds := kinds_of(conditions):
        rows_read = f"({union_of(listing, kinds, f'AND {where} {cut}')}) t"
    else:
        rows_read = f"{statement.source(listing, conditions)} t WHERE {where}"
    page = f"FROM {rows_read} {cut}"
    chosen = f"(SELECT t.* {page}) t"
    if any(condition.is_search for condition in conditions):
        # Narrow rows are sorted in half the time.
        chosen = f"(SELECT t.id {page}) AS found JOIN {listing.table} t USING (id)"
    sql = f"""
        SELECT p.parent AS page_parent, l.* FROM {lists}, {lateral} (
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


async def count_rows(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
) -> dict[int, int]:
    return await _ask_each(
        db, app_id, listing, parents, conditions, ask="(SELECT count(*) FROM {})"
    )


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
    if any(condition.is_tried_nearby for condition in conditions):
        pages = await _read_pages(
            db,
            app_id,
            listing,
            parents,
            conditions,
            window=Window(0),
            columns=(),
            nearest=_NEAR,
        )
        if all(page.has_more for page in pages.values()):
            return dict.fromkeys(pages, True)
    return await _ask_each(
        db, app_id, listing, parents, conditions, ask="EXISTS (SELECT 1 FROM {})"
    )


async def _ask_each(
    db: Connection,
    app_id: int,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    ask: str,
) -> dict[int, Any]:
    """Ask something of the list of each parent.

        SELECT p.parent, (SELECT count(*) FROM assignments t
          WHERE t.app_id = $1 AND t.case_id = p.parent)
        FROM unnest($2::text::bigint[]) AS p(parent)

    Args:
        ask: the question, as SQL; its rows stand where `{}` is.
    """
    statement = _Statement(app_id)
    lists = statement.parents(listing, parents)
    source = statement.source(listing, conditions)
    where = statement.where(listing, conditions, "p.parent")
    rows = await db.fetch(
        f"SELECT p.parent, {ask.format(f'{source} t WHERE {where}')} FROM {lists}",
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
    statement = _Statement(app_id)
    source = statement.source(listing, [condition])
    where = statement.where(listing, [condition], "")
    found: list[Record] = await db.fetch(
        f"SELECT {listing.select(columns)} FROM {source} t {listing.joins} WHERE {where}",
        *statement.values,
    )
    return found
