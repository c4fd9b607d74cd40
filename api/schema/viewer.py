"""Who is asking."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from api.schema.node import Node
from importers.sdk.node_id import encode_node_id
from models.access import TokenRecord  # noqa: TC001


@strawberry.enum(description="What a token may do.")
class Permission(Enum):
    """The API's names of `models.app.Permission`."""

    ADMIN = strawberry.enum_value("ADMIN", description="Read and change everything of the app.")
    VIEWER = strawberry.enum_value("VIEWER", description="Read everything of the app.")


@strawberry.type(description="A tenant: what one app holds, no other app sees.")
class App(Node):
    """The app that the token opens."""

    slug: str = strawberry.field(description="Short name, for URLs and command lines.")
    name: str = strawberry.field(description="Name for people.")

    @classmethod
    def of(cls, token: TokenRecord) -> App:
        """Return the app of a token."""
        node_id = strawberry.ID(encode_node_id("App", token.app_id))
        return cls(id=node_id, slug=token.app_slug, name=token.app_name)


@strawberry.type(description="Who is asking: the token of this request.")
class Viewer:
    """The token, its app and what it may do."""

    app: App = strawberry.field(description="The app that the token opens.")
    permission: Permission = strawberry.field(description="What the token may do.")
    token_name: str = strawberry.field(description="What the token was called when it was made.")
    token_expires_at: datetime | None = strawberry.field(
        description="When the token opens nothing any more; null when it never expires."
    )

    @classmethod
    def of(cls, token: TokenRecord) -> Viewer:
        """Describe a token."""
        permission = Permission[token.permission.name]
        return cls(
            app=App.of(token),
            permission=permission,
            token_name=token.name,
            token_expires_at=token.expires_at,
        )
