"""What resolvers of one operation ask for one by one, read together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from strawberry.dataloader import DataLoader

from models.listing import IMPORTS, ROLES
from models.page import Page, Window, count_each, fetch_page, fetch_pages, find_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from api.scope import Scope
    from models.page import Condition, Listing

_MOST_ROLES = 1_000

# Everything that makes two lists the same but their parents.
_Kind: TypeAlias = tuple[object, ...]


class Loaders:
    """Loads each thing once in an operation, and in one statement what is asked for together."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._pages: dict[_Kind, DataLoader[int, Page]] = {}
        self._counts: dict[_Kind, DataLoader[int, int]] = {}
        self._roles: DataLoader[None, Sequence[Record]] = DataLoader(self._load_roles)
        self._imports: DataLoader[int, Record | None] = DataLoader(self._load_imports)

    async def import_row(self, key: int) -> Record | None:
        """Load an import by its primary key."""
        return await self._imports.load(key)

    async def roles(self) -> Sequence[Record]:
        """Load the app's roles, in the order of their making."""
        return await self._roles.load(None)

    async def page(
        self, listing: Listing, parent: int, conditions: Sequence[Condition], window: Window
    ) -> Page:
        """Load a page of the list that belongs to a parent."""
        kind = (listing.name, repr(conditions), window)
        if kind not in self._pages:
            load = partial(self._load_pages, listing, conditions, window)
            self._pages[kind] = DataLoader(load)
        return await self._pages[kind].load(parent)

    async def count(self, listing: Listing, parent: int, conditions: Sequence[Condition]) -> int:
        """Count the list that belongs to a parent."""
        kind = (listing.name, repr(conditions))
        if kind not in self._counts:
            self._counts[kind] = DataLoader(partial(self._load_counts, listing, conditions))
        return await self._counts[kind].load(parent)

    async def _load_roles(self, keys: list[None]) -> list[Any]:
        page = await self._scope.read(fetch_page, ROLES, (), Window(_MOST_ROLES))
        return [page.rows for _ in keys]

    async def _load_imports(self, keys: list[int]) -> list[Record | None]:
        found = {row["id"]: row for row in await self._scope.read(find_by_id, IMPORTS, keys)}
        return [found.get(key) for key in keys]

    async def _load_pages(
        self,
        listing: Listing,
        conditions: Sequence[Condition],
        window: Window,
        parents: list[int],
    ) -> list[Page]:
        pages = await self._scope.read(fetch_pages, listing, parents, conditions, window=window)
        return [pages[parent] for parent in parents]

    async def _load_counts(
        self, listing: Listing, conditions: Sequence[Condition], parents: list[int]
    ) -> list[int]:
        counts = await self._scope.read(count_each, listing, parents, conditions)
        return [counts[parent] for parent in parents]
