"""Everything that has an ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import strawberry
from strawberry import field

from api.errors import ApiError
from importers.sdk.node_id import decode_node_id
from models.list_facts import find_rows
from models.listing import has_id

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from api.access.context import Context
    from api.batch.row_type import RowType
    from models.list_query import Condition, Listing

T = TypeVar("T")

# How many objects one field may name.
MOST_NAMED = 1_000


@strawberry.interface(description="Something with an ID that stays the same for ever.")
class Node:
    """The Relay interface."""

    id: strawberry.ID = field(
        description="Names this object among all objects of the API. Opaque: don't take it apart."
    )


def key_of(kind: str, node_id: str) -> int | None:
    """Return the primary key in an ID, or None when it is not the ID of such a node."""
    decoded = decode_node_id(node_id)
    return decoded[1] if decoded and decoded[0] == kind else None


def check_named(argument: str, names: Sequence[str]) -> None:
    """Refuse a list of too many IDs or Tag IDs.

    Raises:
        ApiError: it is too long.
    """
    if len(names) > MOST_NAMED:
        message = f"'{argument}' has {len(names):,} entries; {MOST_NAMED:,} are the most."
        raise ApiError("TOO_MANY_IDS", f"{message} Ask in several requests.")


async def load_node(context: Context, listing: Listing, row_type: RowType[T], key: int) -> T | None:
    """Read an object by its primary key."""
    return await find_object(context, listing, row_type, has_id([key]))


async def load_together(
    listing: Listing, row_type: RowType[T], context: Context, key: int
) -> T | None:
    """Read an object by its primary key, in one statement with all that are read at this moment.

    An operation reads an object once: what it changes itself has to be read by `load_node`.
    """
    row = await context.loaders.row(listing, key, row_type.columns())
    return row_type.object(row) if row else None


async def load_many(
    context: Context, listing: Listing, row_type: RowType[T], keys: Collection[int]
) -> dict[int, T]:
    """Read objects by their primary keys; those that the app does not have are left out."""
    rows = await context.scope.read(find_rows, listing, has_id(keys), row_type.columns())
    return dict(zip([row["id"] for row in rows], row_type.objects(rows), strict=True))


async def find_object(
    context: Context, listing: Listing, row_type: RowType[T], condition: Condition
) -> T | None:
    """Read the only object that meets a condition; None when there is none."""
    rows = await context.scope.read(find_rows, listing, condition, row_type.columns())
    return row_type.object(rows[0]) if rows else None
