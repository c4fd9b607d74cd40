"""Relay connections, their cursors, and the pages of lists that they show."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeAlias, TypeVar, cast

import strawberry
from strawberry import argument, field

from api.batch.objects import Lists, Objects
from api.batch.row_type import Columns, RowObjects
from api.errors import ApiError
from models.list_query import Window
from models.listing import is_beyond

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.access.context import Context
    from api.batch.objects import Selected, Values
    from api.batch.row_type import RowType
    from models.list_query import Condition, Listing, Place

T = TypeVar("T")

DEFAULT_PAGE = 50
LARGEST_PAGE = 100
# Numbers of cursors are keys, or microseconds since 1970: PostgreSQL can add this many to a time.
_LARGEST_NUMBER = 2**62

First: TypeAlias = Annotated[
    int | None,
    argument(
        description=f"How many to return from the beginning, or after `after`; "
        f"{LARGEST_PAGE} at most, {DEFAULT_PAGE} when neither `first` nor `last` is given."
    ),
]
After: TypeAlias = Annotated[
    str | None, argument(description="A cursor of this list: only what comes after it.")
]
Last: TypeAlias = Annotated[
    int | None,
    argument(
        description=f"How many to return from the end, or before `before`; {LARGEST_PAGE} at most."
    ),
]
Before: TypeAlias = Annotated[
    str | None, argument(description="A cursor of this list: only what comes before it.")
]
Search: TypeAlias = Annotated[
    str | None, argument(description="Only those in which every word of this begins a word.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The page of a list that a connection shows, and what can still be asked about the list.

    Args:
        parent: primary key of what the list belongs to; the app's for a list of the app.
        has_more: whether the list goes on, in the direction of reading.
        places: those of the page's rows.
        total: how many rows the whole list has, when that is known without counting.
    """

    context: Context
    listing: Listing
    parent: int
    conditions: Sequence[Condition]
    window: Window
    has_more: bool
    places: Sequence[Place]
    total: int | None

    async def count(self) -> int:
        if self.total is not None:
            return self.total
        return await self.context.loaders.count(self.listing, self.parent, self.conditions)

    async def has_next(self) -> bool:
        is_known = self.has_more and not self.window.is_backward
        return is_known or await self._is_beyond(self.window.before, forward=True)

    async def has_previous(self) -> bool:
        is_known = self.has_more and self.window.is_backward
        return is_known or await self._is_beyond(self.window.after, forward=False)

    async def _is_beyond(self, limit: Place | None, *, forward: bool) -> bool:
        """Look for rows that the cursor on this side has cut off."""
        if limit is None:
            return False
        conditions = [*self.conditions, is_beyond(self.listing, limit, forward=forward)]
        return await self.context.loaders.has_rows(self.listing, self.parent, conditions)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo; looks beyond the page only when asked."""

    slice: strawberry.Private[Slice]
    start_cursor: str | None = field(description="The first edge's cursor, null on an empty page.")
    end_cursor: str | None = field(description="The last edge's cursor, null on an empty page.")

    @classmethod
    def of(cls, shown: Slice) -> PageInfo:
        places = shown.places
        return cls(
            slice=shown,
            start_cursor=write_cursor(shown.listing, places[0]) if places else None,
            end_cursor=write_cursor(shown.listing, places[-1]) if places else None,
        )

    @strawberry.field(description="Whether the list goes on after this page.")
    async def has_next_page(self) -> bool:
        return await self.slice.has_next()

    @strawberry.field(description="Whether the list has something before this page.")
    async def has_previous_page(self) -> bool:
        return await self.slice.has_previous()


@strawberry.type(description="One place of a list.")
class Edge(Generic[T]):
    cursor: str = field(
        description="Marks this place, for `after` and `before`. Opaque, and of this list only."
    )
    node: T = field(description="What is there.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    slice: strawberry.Private[Slice]
    edges: list[Edge[T]] = field(description="The page, in the order of the list.")
    page_info: PageInfo = field(description="Where the page stands in the list.")

    @strawberry.field(description="How long the whole list is. Counted only when asked for.")
    async def total_count(self) -> int:
        return await self.slice.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArguments:
    """Which page a client asked for, unchecked."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def window(self, listing: Listing) -> Window:
        """Translate for `models.page`.

        Raises:
            ApiError: the arguments contradict each other, or are out of range.
        """
        if self.first is not None and self.last is not None:
            raise ApiError("BAD_PAGE", "Give first or last, not both.")
        is_backward = self.last is not None
        name, size = ("last", self.last) if is_backward else ("first", self.first)
        if size is None:
            size = DEFAULT_PAGE
        if not 0 <= size <= LARGEST_PAGE:
            raise ApiError("BAD_PAGE", f"{name} has to be from 0 to {LARGEST_PAGE}, not {size}.")
        after, before = read_cursor(listing, self.after), read_cursor(listing, self.before)
        return Window(size, after, before, is_backward)


@dataclass(frozen=True, eq=False)
class Edges(Objects):
    """The edges of a page, or of several pages one behind another."""

    listing: Listing
    nodes: RowObjects
    kind = Edge

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Edge[Any]]:
        for cursor, node in zip(self._cursors(), self.nodes, strict=True):
            yield Edge(cursor=cursor, node=node)

    def read(self, attribute: str) -> Values:
        return self.nodes if attribute == "node" else self._cursors()

    def _cursors(self) -> list[str]:
        return [write_cursor(self.listing, key) for key in self.nodes.columns.read("page_key")]


@dataclass(frozen=True, eq=False, kw_only=True)
class Connections(Objects):
    """The same page of the lists of many parents.

    Args:
        columns: those of the rows of all pages, one page behind another.
        lengths: how many rows each page has.
        has_more: of each page, whether its list goes on in the direction of reading.
        total: how long the only list is, when that is known.
    """

    context: Context
    listing: Listing
    row_type: RowType[Any]
    conditions: Sequence[Condition]
    window: Window
    parents: Sequence[int]
    columns: Columns
    lengths: Sequence[int]
    has_more: Sequence[bool]
    total: int | None
    kind = Connection

    def __len__(self) -> int:
        return len(self.parents)

    def __iter__(self) -> Iterator[Connection[Any]]:
        begin = 0
        for parent, length, has_more in zip(self.parents, self.lengths, self.has_more, strict=True):
            columns = self.columns.part(begin, begin + length)
            begin += length
            shown = Slice(
                context=self.context,
                listing=self.listing,
                parent=parent,
                conditions=self.conditions,
                window=self.window,
                has_more=has_more,
                places=columns.read("page_key"),
                total=self.total,
            )
            # `Edges` is no list, but nothing that reads edges does more than go through them.
            edges = cast("list[Edge[Any]]", self._edges(columns))
            yield Connection(slice=shown, edges=edges, page_info=PageInfo.of(shown))

    def read(self, attribute: str) -> Values:
        """Return the values that an attribute has; all edges are read together."""
        if attribute != "edges":
            return super().read(attribute)
        return Lists(self.lengths, self._edges(self.columns))

    def _edges(self, columns: Columns) -> Edges:
        return Edges(self.listing, RowObjects(self.row_type, columns))


async def connect(
    context: Context,
    listing: Listing,
    row_type: RowType[Any],
    arguments: PageArguments,
    conditions: Sequence[Condition] = (),
    *,
    parent: int | None = None,
    total: int | None = None,
) -> Connection[Any]:
    """Read one page of a list.

    Args:
        row_type: makes the nodes.
        parent: whose list it is, when it is not the app's.
        total: how long the list is, when that is known.
    """
    parents = [context.scope.app_id if parent is None else parent]
    [found] = await connect_each(
        context, listing, row_type, arguments, conditions, parents=parents, total=total
    )
    connection: Connection[Any] = found
    return connection


async def connect_each(
    context: Context,
    listing: Listing,
    row_type: RowType[Any],
    arguments: PageArguments,
    conditions: Sequence[Condition],
    *,
    parents: Sequence[int],
    selected: Selected | None = None,
    total: int | None = None,
) -> Connections:
    """Read the same page of the lists of many parents.

    Args:
        row_type: makes the nodes.
        selected: what is selected of each connection: no other columns are read.
    """
    window = arguments.window(listing)
    of_nodes = None if selected is None else selected.get("edges", {}).get("node", {})
    columns = row_type.columns(selected=of_nodes)
    read, lengths, has_more = await _load_pages(
        context, listing, parents, conditions, window=window, columns=columns
    )
    # Nothing is made yet: a selection of plain fields reads the rows column by column.
    return Connections(
        context=context,
        listing=listing,
        row_type=row_type,
        conditions=conditions,
        window=window,
        parents=parents,
        columns=read,
        lengths=lengths,
        has_more=has_more,
        total=total,
    )


async def _load_pages(
    context: Context,
    listing: Listing,
    parents: Sequence[int],
    conditions: Sequence[Condition],
    *,
    window: Window,
    columns: frozenset[str],
) -> tuple[Columns, Sequence[int], Sequence[bool]]:
    """Return what `Connections` takes: columns of all pages, lengths, and which have more."""
    if len(parents) == 1:
        page = await context.loaders.page(listing, parents[0], conditions, window, columns)
        return Columns.of(page.rows), [len(page.rows)], [page.has_more]
    pages = await context.loaders.nested_pages(listing, parents, conditions, window, columns)
    return Columns(pages.columns, sum(pages.lengths)), pages.lengths, pages.has_more


def write_cursor(listing: Listing, place: int | Sequence[int]) -> str:
    """Mark a place in a list: `case:7`, or `case-update-up:1764432000000000,7`, in base 64."""
    numbers = place if isinstance(place, int) else ",".join(map(str, place))
    return base64.urlsafe_b64encode(f"{listing.name}:{numbers}".encode()).decode()


def read_cursor(listing: Listing, cursor: str | None) -> Place | None:
    """Return the place at which a cursor stands, if one is given.

    Raises:
        ApiError: it is not one of this list.
    """
    if cursor is None:
        return None
    try:
        name, _, text = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except (binascii.Error, UnicodeError):
        name, text = "", ""
    numbers = [_read_number(each) for each in text.split(",")]
    if name != listing.name or None in numbers or len(numbers) != (2 if listing.rank else 1):
        raise ApiError("BAD_CURSOR", "This is not a cursor of this list.")
    first, *others = cast("list[int]", numbers)
    return (first, *others) if others else first


def _read_number(digits: str) -> int | None:
    # Python refuses to make numbers of thousands of digits, so their length is looked at first.
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(digits)
    return number if number <= _LARGEST_NUMBER else None
