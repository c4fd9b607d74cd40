"""What the resolvers of one operation ask for one by one, read together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from strawberry.dataloader import DataLoader

from models.list_facts import count_rows, find_rows, has_rows
from models.list_query import Window
from models.listing import ROLES, has_id
from models.nested_pages import fetch_nested_pages
from models.page import Page, fetch_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from api.access.scope import Scope
    from models.list_query import Condition, Listing
    from models.nested_pages import NestedPages

# The API returns roles as a plain list, without pages.
_MOST_ROLES = 1_000


class Loaders:
    """Loads each thing once in an operation, and in one statement what is asked for together.

    Lists belong to parents, by primary key; a list of the app belongs to the app.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        # By what lists have in common that differ in their parents alone.
        self._pages: dict[tuple[object, ...], DataLoader[int, Page]] = {}
        self._answers: dict[tuple[object, ...], DataLoader[int, Any]] = {}
        self._rows: dict[tuple[object, ...], DataLoader[int, Record | None]] = {}

    async def row(
        self, listing: Listing, key: int, columns: frozenset[str] | None = None
    ) -> Record | None:
        """Load `columns`, or all, of the row of a list that has a primary key."""
        kind = (listing.name, columns)
        if kind not in self._rows:
            self._rows[kind] = DataLoader(partial(_load_rows, self._scope, listing, columns))
        return await self._rows[kind].load(key)

    async def roles(self) -> Sequence[Record]:
        """Load the app's roles, in the order in which they were added."""
        page = await self.page(ROLES, self._scope.app_id, (), Window(_MOST_ROLES))
        return page.rows

    async def page(
        self,
        listing: Listing,
        parent: int,
        conditions: Sequence[Condition],
        window: Window,
        columns: frozenset[str] | None = None,
    ) -> Page:
        """Load `columns`, or all, of the page of the list that belongs to a parent."""
        load = partial(
            _load_pages, self._scope, listing, conditions, window=window, columns=columns
        )
        # Lists of the app are asked for at once: there is nothing to gather.
        if not listing.parent:
            [page] = await load([parent])
            return page
        kind = (listing.name, repr(conditions), window, columns)
        if kind not in self._pages:
            self._pages[kind] = DataLoader(load)
        return await self._pages[kind].load(parent)

    async def nested_pages(
        self,
        listing: Listing,
        parents: Sequence[int],
        conditions: Sequence[Condition],
        window: Window,
        columns: frozenset[str],
    ) -> NestedPages:
        """Load `columns` of the pages of the lists that belong to many parents."""
        return await self._scope.read(
            fetch_nested_pages, listing, parents, conditions, window=window, columns=columns
        )

    async def count(self, listing: Listing, parent: int, conditions: Sequence[Condition]) -> int:
        """Count the list that belongs to a parent."""
        return int(await self._answer(count_rows, listing, parent, conditions))

    async def has_rows(
        self, listing: Listing, parent: int, conditions: Sequence[Condition]
    ) -> bool:
        """Tell whether the list that belongs to a parent has any row that meets the conditions."""
        return bool(await self._answer(has_rows, listing, parent, conditions))

    async def _answer(
        self, ask: Any, listing: Listing, parent: int, conditions: Sequence[Condition]
    ) -> Any:
        kind = (ask, listing.name, repr(conditions))
        if kind not in self._answers:
            load = partial(_load_answers, ask, self._scope, listing, conditions)
            self._answers[kind] = DataLoader(load)
        return await self._answers[kind].load(parent)


# Functions, not methods: a loader that refers to its `Loaders` would be a cycle, which keeps all
# that was loaded in memory until the next garbage collection.


async def _load_rows(
    scope: Scope, listing: Listing, columns: frozenset[str] | None, keys: list[int]
) -> list[Record | None]:
    rows = await scope.read(find_rows, listing, has_id(keys), columns)
    found = {row["id"]: row for row in rows}
    return [found.get(key) for key in keys]


async def _load_pages(
    scope: Scope,
    listing: Listing,
    conditions: Sequence[Condition],
    parents: list[int],
    *,
    window: Window,
    columns: frozenset[str] | None,
) -> list[Page]:
    pages = await scope.read(
        fetch_pages, listing, parents, conditions, window=window, columns=columns
    )
    return [pages[parent] for parent in parents]


async def _load_answers(
    ask: Any,
    scope: Scope,
    listing: Listing,
    conditions: Sequence[Condition],
    parents: list[int],
) -> list[Any]:
    found = await scope.read(ask, listing, parents, conditions)
    return [found[parent] for parent in parents]
