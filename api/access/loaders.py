"""What resolvers of one operation ask for one by one, read together."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from strawberry.dataloader import DataLoader

from models.listing import IMPORTS, ROLES
from models.page import Page, Window, count_each, fetch_page, fetch_pages, find_by_id, has_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from api.access.scope import Scope
    from models.page import Condition, Listing

_MOST_ROLES = 1_000

# Everything that makes two lists the same but their parents.
_Kind: TypeAlias = tuple[object, ...]


class Loaders:
    """Loads each thing once in an operation, and in one statement what is asked for together."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._pages: dict[_Kind, DataLoader[tuple[int, ...], Sequence[Page]]] = {}
        self._counts: dict[_Kind, DataLoader[int, int]] = {}
        self._looks: dict[_Kind, DataLoader[int, bool]] = {}
        self._roles: DataLoader[None, Sequence[Record]] = DataLoader(partial(_load_roles, scope))
        self._imports: DataLoader[int, Record | None] = DataLoader(partial(_load_imports, scope))

    async def import_row(self, key: int) -> Record | None:
        """Load an import by its primary key."""
        return await self._imports.load(key)

    async def roles(self) -> Sequence[Record]:
        """Load the app's roles, in the order of their making."""
        return await self._roles.load(None)

    async def pages(
        self,
        listing: Listing,
        parents: Sequence[int],
        conditions: Sequence[Condition],
        window: Window,
        columns: frozenset[str] | None = None,
    ) -> Sequence[Page]:
        """Load the page of each list that belongs to one of the parents; some columns, or all."""
        kind = (listing.name, repr(conditions), window, columns)
        if kind not in self._pages:
            load = partial(
                _load_pages, self._scope, listing, conditions, window=window, columns=columns
            )
            self._pages[kind] = DataLoader(load)
        return await self._pages[kind].load(tuple(parents))

    async def count(self, listing: Listing, parent: int, conditions: Sequence[Condition]) -> int:
        """Count the list that belongs to a parent."""
        kind = (listing.name, repr(conditions))
        if kind not in self._counts:
            load = partial(_load_each, count_each, self._scope, listing, conditions)
            self._counts[kind] = DataLoader(load)
        return await self._counts[kind].load(parent)

    async def has_rows(
        self, listing: Listing, parent: int, conditions: Sequence[Condition]
    ) -> bool:
        """Tell whether the list that belongs to a parent has any row that meets the conditions."""
        kind = (listing.name, repr(conditions))
        if kind not in self._looks:
            load = partial(_load_each, has_each, self._scope, listing, conditions)
            self._looks[kind] = DataLoader(load)
        return await self._looks[kind].load(parent)


# No methods: a cycle would stay until the garbage is collected, with all that was loaded.


async def _load_roles(scope: Scope, keys: list[None]) -> list[Any]:
    page = await scope.read(fetch_page, ROLES, (), Window(_MOST_ROLES))
    return [page.rows for _ in keys]


async def _load_imports(scope: Scope, keys: list[int]) -> list[Record | None]:
    found = {row["id"]: row for row in await scope.read(find_by_id, IMPORTS, keys)}
    return [found.get(key) for key in keys]


async def _load_pages(
    scope: Scope,
    listing: Listing,
    conditions: Sequence[Condition],
    wanted: list[tuple[int, ...]],
    *,
    window: Window,
    columns: frozenset[str] | None,
) -> list[Sequence[Page]]:
    parents = list(dict.fromkeys(chain.from_iterable(wanted)))
    pages = await scope.read(
        fetch_pages, listing, parents, conditions, window=window, columns=columns
    )
    return [[pages[parent] for parent in some] for some in wanted]


async def _load_each(
    ask: Any,
    scope: Scope,
    listing: Listing,
    conditions: Sequence[Condition],
    parents: list[int],
) -> list[Any]:
    found = await scope.read(ask, listing, parents, conditions)
    return [found[parent] for parent in parents]
