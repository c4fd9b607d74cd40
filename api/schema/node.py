"""Everything that has an ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import strawberry
from strawberry import field

from importers.sdk.node_id import decode_node_id
from models.listing import has_id
from models.page import find_rows

if TYPE_CHECKING:
    from api.access.context import Context
    from api.batch.row_type import RowType
    from models.page import Condition, Listing

T = TypeVar("T")


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


async def load_node(context: Context, listing: Listing, row_type: RowType[T], key: int) -> T | None:
    """Read an object by its primary key."""
    return await find_object(context, listing, row_type, has_id([key]))


async def find_object(
    context: Context, listing: Listing, row_type: RowType[T], condition: Condition
) -> T | None:
    """Read the only object that meets a condition; None when there is none."""
    rows = await context.scope.read(find_rows, listing, condition, row_type.columns())
    return row_type.object(rows[0]) if rows else None
