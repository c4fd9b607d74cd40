"""Relay connections over keyset pages."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry

from api.errors import ApiError
from models.listing import is_beyond
from models.page import Window, count_rows, fetch_page, has_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncpg import Record

    from api.context import Context
    from models.page import Condition, Listing, Page

T = TypeVar("T")

DEFAULT_PAGE = 50
LARGEST_PAGE = 100
_LARGEST_KEY = 2**63 - 1

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
    total: int | None

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
        return await self.context.scope.read(has_rows, self.listing, self.parent, conditions)


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

    first: int | None
    after: str | None
    last: int | None
    before: str | None

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
            _read_cursor(listing, self.after),
            _read_cursor(listing, self.before),
            is_backward,
        )


async def connect(
    context: Context,
    listing: Listing,
    build: Callable[[Record], Any],
    arguments: PageArguments,
    conditions: Sequence[Condition] = (),
    *,
    parent: int | None = None,
    total: int | None = None,
) -> Connection[Any]:
    """Read one page of a list.

    Args:
        build: makes the node of a row.
        parent: whose list it is, when it is not the app's.
        total: how long the list is, when that is known.
    """
    window = arguments.window(listing)
    if parent is None:
        page = await context.scope.read(fetch_page, listing, conditions, window)
    else:
        page = await context.loaders.page(listing, parent, conditions, window)
    edges = [Edge(cursor=_cursor(listing, row["page_key"]), node=build(row)) for row in page.rows]
    shown = Slice(
        context=context,
        listing=listing,
        parent=parent,
        conditions=conditions,
        window=window,
        page=page,
        total=total,
    )
    info = PageInfo(
        slice=shown,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(slice=shown, edges=edges, page_info=info)


def _size(name: str, size: int | None) -> int:
    if size is None:
        return DEFAULT_PAGE
    if not 0 <= size <= LARGEST_PAGE:
        raise ApiError("BAD_PAGE", f"{name} has to be from 0 to {LARGEST_PAGE}, not {size}.")
    return size


def _cursor(listing: Listing, key: int) -> str:
    return base64.urlsafe_b64encode(f"{listing.name}:{key}".encode()).decode()


def _read_cursor(listing: Listing, cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        name, _, digits = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except (binascii.Error, UnicodeError):
        name, digits = "", ""
    is_ours = name == listing.name and digits.isascii() and digits.isdigit()
    if not is_ours or len(digits) > 19 or int(digits) > _LARGEST_KEY:
        raise ApiError("BAD_CURSOR", "This is not a cursor of this list.")
    return int(digits)
