"""Relay connections over keyset pages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeAlias, TypeVar, cast

import strawberry

from api.batch.objects import Lists, Objects
from api.errors import ApiError
from api.schema.cursor import read_cursor, write_cursor
from models.listing import is_beyond
from models.page import Window, count_rows, fetch_page, has_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from asyncpg import Record

    from api.access.context import Context
    from api.batch.batch_field import Selected
    from api.batch.objects import Items, Values
    from api.batch.row_type import RowType
    from models.page import Condition, Listing, Page

    Build: TypeAlias = Callable[[Sequence[Record]], Items]

T = TypeVar("T")

DEFAULT_PAGE = 50
LARGEST_PAGE = 100

First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many to return from the beginning, or after `after`; "
        f"{LARGEST_PAGE} at most, {DEFAULT_PAGE} when neither `first` nor `last` is given."
    ),
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="A cursor of this list: only what comes after it."),
]
Last: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many to return from the end, or before `before`; {LARGEST_PAGE} at most."
    ),
]
Before: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="A cursor of this list: only what comes before it."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The page of a list that a connection shows, and what can still be asked about the list.

    Args:
        total: how many rows the whole list has, when that is known without counting.
    """

    context: Context
    listing: Listing
    parent: int | None
    conditions: Sequence[Condition]
    window: Window
    page: Page
    total: int | None = None

    async def count(self) -> int:
        """Count the whole list."""
        if self.total is not None:
            return self.total
        if self.parent is not None:
            return await self.context.loaders.count(self.listing, self.parent, self.conditions)
        return await self.context.scope.read(count_rows, self.listing, self.conditions)

    async def has_next(self) -> bool:
        """Tell whether the list goes on after the page."""
        if not self.window.is_backward:
            return self.page.has_more or await self._is_beyond(self.window.before, forward=True)
        return await self._is_beyond(self.window.before, forward=True)

    async def has_previous(self) -> bool:
        """Tell whether the list has something before the page."""
        if self.window.is_backward:
            return self.page.has_more or await self._is_beyond(self.window.after, forward=False)
        return await self._is_beyond(self.window.after, forward=False)

    async def _is_beyond(self, limit: int | None, *, forward: bool) -> bool:
        """Look for rows that the cursor on this side has cut off."""
        if limit is None:
            return False
        beyond = is_beyond(self.listing, limit, forward=forward)
        conditions = [*self.conditions, beyond]
        if self.parent is not None:
            return await self.context.loaders.has_rows(self.listing, self.parent, conditions)
        return await self.context.scope.read(has_rows, self.listing, conditions)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo; looks beyond the page only when asked."""

    slice: strawberry.Private[Slice]
    start_cursor: str | None = strawberry.field(
        description="The first edge's cursor, null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="The last edge's cursor, null on an empty page."
    )

    @strawberry.field(description="Whether the list goes on after this page.")
    async def has_next_page(self) -> bool:
        """Look after the page."""
        return await self.slice.has_next()

    @strawberry.field(description="Whether the list has something before this page.")
    async def has_previous_page(self) -> bool:
        """Look before the page."""
        return await self.slice.has_previous()


@strawberry.type(description="One place of a list.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(
        description="Marks this place, for `after` and `before`. Opaque, and of this list only."
    )
    node: T = strawberry.field(description="What is there.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """Relay's connection."""

    slice: strawberry.Private[Slice]
    edges: list[Edge[T]] = strawberry.field(description="The page, in the order of the list.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")

    @strawberry.field(description="How long the whole list is. Counted only when asked for.")
    async def total_count(self) -> int:
        """Count the list."""
        return await self.slice.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArguments:
    """What a client asked for, as it said it."""

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
        size = self.last if is_backward else self.first
        return Window(
            _size("last" if is_backward else "first", size),
            read_cursor(listing, self.after),
            read_cursor(listing, self.before),
            is_backward,
        )


class Edges(Objects):
    """The edges of rows, or of several pages of them one behind another."""

    def __init__(self, listing: Listing, rows: Sequence[Record], nodes: Items) -> None:
        super().__init__(Edge)
        self._listing = listing
        self._rows = rows
        self._nodes = nodes

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Edge[Any]]:
        """Make the edges."""
        for cursor, node in zip(self._cursors(), self._nodes, strict=True):
            yield Edge(cursor=cursor, node=node)

    def read(self, attribute: str) -> Values:
        """Return the nodes or the cursors."""
        return self._nodes if attribute == "node" else self._cursors()

    def _cursors(self) -> list[str]:
        return [write_cursor(self._listing, row["page_key"]) for row in self._rows]


class Connections(Objects):
    """The connections of many parents.

    Args:
        pages: what each shows, by parent.
        show: makes the slice of a page.
        build: makes the nodes of rows.
    """

    def __init__(
        self,
        listing: Listing,
        pages: Sequence[tuple[int, Page]],
        show: Callable[[int, Page], Slice],
        build: Build,
    ) -> None:
        super().__init__(Connection)
        self._listing = listing
        self._pages = pages
        self._show = show
        self._build = build

    def __len__(self) -> int:
        return len(self._pages)

    def __iter__(self) -> Iterator[Connection[Any]]:
        """Make the connections."""
        for parent, page in self._pages:
            yield _connection(self._show(parent, page), self._build)

    def read(self, attribute: str) -> Values:
        """Return the values that an attribute has; all edges are read together."""
        if attribute != "edges":
            return super().read(attribute)
        rows = list(chain.from_iterable(page.rows for _, page in self._pages))
        lengths = [len(page.rows) for _, page in self._pages]
        return Lists(lengths, Edges(self._listing, rows, self._build(rows)))


async def connect_each(
    context: Context,
    listing: Listing,
    type_: RowType[Any],
    arguments: PageArguments,
    conditions: Sequence[Condition],
    *,
    parents: Sequence[int],
    selected: Selected,
) -> Connections:
    """Read the same page of the lists of many parents, as far as it is selected."""
    window = arguments.window(listing)
    node = selected.get("edges", {}).get("node", {})
    columns = frozenset(type_.wanted(node))
    pages = await context.loaders.pages(listing, parents, conditions, window, columns)

    def show(parent: int, page: Page) -> Slice:
        return Slice(
            context=context,
            listing=listing,
            parent=parent,
            conditions=conditions,
            window=window,
            page=page,
        )

    return Connections(listing, list(zip(parents, pages, strict=True)), show, type_.objects)


async def connect(
    context: Context,
    listing: Listing,
    build: Build,
    arguments: PageArguments,
    conditions: Sequence[Condition] = (),
    *,
    parent: int | None = None,
    total: int | None = None,
) -> Connection[Any]:
    """Read one page of a list.

    Args:
        build: makes the nodes of rows.
        parent: whose list it is, when it is not the app's.
        total: how long the list is, when that is known.
    """
    window = arguments.window(listing)
    if parent is None:
        page = await context.scope.read(fetch_page, listing, conditions, window)
    else:
        [page] = await context.loaders.pages(listing, [parent], conditions, window)
    shown = Slice(
        context=context,
        listing=listing,
        parent=parent,
        conditions=conditions,
        window=window,
        page=page,
        total=total,
    )
    return _connection(shown, build)


def _connection(shown: Slice, build: Build) -> Connection[Any]:
    rows = shown.page.rows
    info = PageInfo(
        slice=shown,
        start_cursor=write_cursor(shown.listing, rows[0]["page_key"]) if rows else None,
        end_cursor=write_cursor(shown.listing, rows[-1]["page_key"]) if rows else None,
    )
    # To all who only go through it, a list that is not made yet is a list.
    edges = cast("list[Edge[Any]]", Edges(shown.listing, rows, build(rows)))
    return Connection(slice=shown, edges=edges, page_info=info)


def _size(name: str, size: int | None) -> int:
    if size is None:
        return DEFAULT_PAGE
    if not 0 <= size <= LARGEST_PAGE:
        raise ApiError("BAD_PAGE", f"{name} has to be from 0 to {LARGEST_PAGE}, not {size}.")
    return size
