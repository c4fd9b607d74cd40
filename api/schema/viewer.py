"""The token of the request, and its app."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import field

from api.access.context import Context, Info
from api.schema.node import Node
from api.schema.shown_enum import show_enum
from importers.sdk.node_id import encode_node_id
from models.access import TokenRecord  # noqa: TC001
from models.app import Permission

show_enum(Permission, description="What a token may do.")


@strawberry.type(description="A tenant: what one app holds, no other app sees.")
class App(Node):
    slug: str = field(description="Short name, for URLs and command lines.")
    name: str = field(description="Name for people.")

    @classmethod
    def of(cls, token: TokenRecord) -> App:
        node_id = strawberry.ID(encode_node_id("App", token.app_id))
        return cls(id=node_id, slug=token.app_slug, name=token.app_name)


async def load_app(context: Context, key: int) -> App | None:
    return App.of(context.token) if key == context.token.app_id else None


@strawberry.type(description="Who is asking: the token of this request.")
class Viewer:
    app: App = field(description="The app that the token opens.")
    permission: Permission = field(description="What the token may do.")
    token_name: str = field(description="What the token was called when it was made.")
    token_expires_at: datetime | None = field(
        description="When the token opens nothing any more; null when it never expires."
    )

    @classmethod
    def of(cls, token: TokenRecord) -> Viewer:
        return cls(
            app=App.of(token),
            permission=token.permission,
            token_name=token.name,
            token_expires_at=token.expires_at,
        )


@strawberry.field(name="viewer", description="Who is asking.")
def show_viewer(info: Info) -> Viewer:
    return Viewer.of(info.context.token)
