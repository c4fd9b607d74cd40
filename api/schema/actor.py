"""Actors: the tokens and commands that did something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import strawberry
from strawberry import field

from api.access.context import Context, Info
from api.batch.objects import TOGETHER, Together, read
from importers.sdk.node_id import encode_node_id
from models.audit import COMMAND_LINE
from models.listing import TOKENS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.batch.objects import Items, Selected, Values


@strawberry.type(description="Who did something: a token, or a command at the server.")
class AuditActor:
    """A token, or the command line."""

    name: str = field(
        description="The token's name; `command line` for what was done at the server itself."
    )
    token_id: strawberry.ID | None = field(
        description="Tells tokens of the same name apart; null for the command line."
    )

    @classmethod
    def of(cls, name: str | None, token: int | None) -> AuditActor:
        """Make it of a token's name and key; without a token it is the command line."""
        token_id = None if token is None else strawberry.ID(encode_node_id("Token", token))
        return cls(name=name or COMMAND_LINE.name, token_id=token_id)


async def _load_actors(context: Context, tokens: Sequence[int | None]) -> list[AuditActor]:
    """Load the actors with these tokens in one statement; without a token, the command line."""
    distinct = sorted({token for token in tokens if token is not None})
    rows = await asyncio.gather(*(context.loaders.row(TOKENS, token) for token in distinct))
    actors = {row["id"]: AuditActor.of(row["name"], row["id"]) for row in rows if row}
    return [AuditActor.of(None, None) if token is None else actors[token] for token in tokens]


async def _load_creators(context: Context, objects: Items, _: Selected) -> Values:
    return await _load_actors(context, cast("list[int | None]", read(objects, "token_key")))


@strawberry.field(
    description="Whose token uploaded it.",
    metadata={TOGETHER: Together(_load_creators, needs=("token_key",))},
)
async def created_by(self: Any, info: Info) -> AuditActor:
    """Load the actor of an object by its `token_key`."""
    [actor] = await _load_actors(info.context, [self.token_key])
    return actor
