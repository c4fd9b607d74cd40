"""Everything that has an ID."""

from __future__ import annotations

import strawberry

from importers.sdk.node_id import decode_node_id


@strawberry.interface(description="Something with an ID that stays the same for ever.")
class Node:
    """The Relay interface."""

    id: strawberry.ID = strawberry.field(
        description="Names this object among all objects of the API. Opaque: don't take it apart."
    )


def key_of(kind: str, node_id: str) -> int | None:
    """Return the primary key in an ID, or None when it is not the ID of such a node."""
    decoded = decode_node_id(node_id)
    return decoded[1] if decoded and decoded[0] == kind else None
