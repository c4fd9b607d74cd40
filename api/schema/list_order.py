"""The orders that lists can have, and what of them has changed since a time."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry
from strawberry import argument

from models.listing import in_order

if TYPE_CHECKING:
    from models.list_query import Listing


@strawberry.enum(description="The order of a list.")
class ListOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("CREATED_AT_ASC", description="The oldest first.")
    CREATED_AT_DESC = strawberry.enum_value("CREATED_AT_DESC", description="The newest first.")
    UPDATED_AT_ASC = strawberry.enum_value(
        "UPDATED_AT_ASC", description="First what was changed longest ago."
    )
    UPDATED_AT_DESC = strawberry.enum_value(
        "UPDATED_AT_DESC", description="First what was changed last."
    )


OrderBy: TypeAlias = Annotated[
    ListOrder | None,
    argument(
        description="In which order; `UPDATED_AT_ASC` if only `updatedSince` is given, else as the "
        "list says. Each order has cursors of its own."
    ),
]
UpdatedSince: TypeAlias = Annotated[
    datetime | None,
    argument(description="Only what was created or changed at this time or later."),
]


def ordered(listing: Listing, order: ListOrder | None, since: datetime | None) -> Listing:
    """Return a list in the order that a client asked for."""
    if order is None and since is None:
        return listing
    order = order or ListOrder.UPDATED_AT_ASC
    return in_order(
        listing,
        by_update=order in (ListOrder.UPDATED_AT_ASC, ListOrder.UPDATED_AT_DESC),
        is_descending=order in (ListOrder.CREATED_AT_DESC, ListOrder.UPDATED_AT_DESC),
    )
