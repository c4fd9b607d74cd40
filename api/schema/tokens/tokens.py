"""Tokens: who may use the API as this app, and since when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.batch.row_type import RowColumn, RowType, node_id
from api.errors import ApiError
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.input_errors import InputErrors, UserError, user_error
from api.schema.node import Node, key_of, load_node, load_together
from models.access import MOST_TOKENS, NewToken, end_token, insert_token
from models.app import Permission, make_token, token_digest
from models.audit import COMMAND_LINE
from models.listing import TOKENS

_NAME_LONGEST = 200


@strawberry.type(name="Token", description="A bearer token of the app, without its secret.")
class ApiToken(Node):
    key: strawberry.Private[int]
    name: str = field(description="What it is called; the audit trail names it so.")
    permission: Permission = field(description="What it may do.")
    created_at: datetime = field(description="When it was made.")
    last_used_at: datetime | None = field(
        description="When it was last used, to the minute; null when it never was."
    )
    expires_at: datetime | None = field(
        description="When it opens nothing any more; null when it never expires."
    )
    revoked_at: datetime | None = field(description="When it was revoked; null while it is not.")

    @strawberry.field(description="Whether this request has come with it.")
    def is_current(self, info: Info) -> bool:
        return self.key == info.context.token.id


TOKEN_ROW = RowType(
    ApiToken,
    id=node_id("Token"),
    key=RowColumn(("id",)),
    permission=RowColumn(("permission",), Permission),
)


@strawberry.input(description="A new token.")
class CreateTokenInput:
    name: str = field(
        description="Who or what it is for, up to 200 characters: what it does is told under this "
        "name."
    )
    permission: Permission = field(description="What it may do.")
    expires_at: datetime | None = field(
        default=None, description="When it is to expire; null or left out: never."
    )


@strawberry.type(description="What came of creating or revoking a token.")
class TokenPayload:
    token: ApiToken | None = field(
        default=None, description="The token as it is now; null after errors."
    )
    secret: str | None = field(
        default=None,
        description="The bearer token itself. Only the answer that creates it has it; it can't be "
        "shown again.",
    )
    user_errors: list[UserError] = field(
        default_factory=list,
        description="What was wrong; when there is anything, nothing has been done.",
    )


@strawberry.field(
    name="tokens",
    description="The app's tokens, newest first, revoked and expired ones too; for ADMIN tokens.",
)
async def list_tokens(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[ApiToken]:
    info.context.require_admin("read tokens")
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    return await connect(info.context, TOKENS, TOKEN_ROW, arguments)


async def load_token(context: Context, key: int) -> ApiToken | None:
    context.require_admin("read tokens")
    return await load_together(TOKENS, TOKEN_ROW, context, key)


@strawberry.mutation(
    description="Make a token that opens the app. It may outlive the token that makes it, so that "
    "a token can be replaced before it expires."
)
async def create_token(
    info: Info,
    values: Annotated[CreateTokenInput, argument(name="input", description="The token.")],
) -> TokenPayload:
    context = info.context
    errors = InputErrors()
    secret = make_token()
    new = _read_token(values, secret, errors)
    if errors.found:
        return TokenPayload(user_errors=errors.found)
    key = await context.scope.write(insert_token, new, by=context.actor)
    if key is None:
        message = f"The app has {MOST_TOKENS} tokens, which are the most; revoke one first."
        return TokenPayload(user_errors=[user_error("TOO_MANY_TOKENS", message)])
    return TokenPayload(token=await _load_present(context, key), secret=secret)


def _read_token(values: CreateTokenInput, secret: str, errors: InputErrors) -> NewToken:
    name = errors.text("name", values.name, longest=_NAME_LONGEST, required=True)
    if name.lower() == COMMAND_LINE.name:
        message = f"The audit trail calls what is done at the server '{COMMAND_LINE.name}'; "
        errors.add("NAME_TAKEN", "name", message + "choose another name.")
    if values.expires_at is not None and values.expires_at <= datetime.now(UTC):
        errors.add("OUT_OF_RANGE", "expiresAt", "This time is over.")
    return NewToken(name, token_digest(secret), values.permission, values.expires_at)


@strawberry.mutation(
    description="Revoke a token, which then opens nothing any more; also the one that asks, whose "
    "last answer this is. A token that is revoked already stays as it is."
)
async def revoke_token(
    info: Info,
    node_id: Annotated[strawberry.ID, argument(name="id", description="The token's `id`.")],
) -> TokenPayload:
    context = info.context
    key = key_of("Token", node_id)
    if key is None or await load_node(context, TOKENS, TOKEN_ROW, key) is None:
        error = user_error("NOT_FOUND", "There is no such token.", "id")
        return TokenPayload(user_errors=[error])
    await context.scope.write(end_token, key, by=context.actor)
    return TokenPayload(token=await _load_present(context, key))


async def _load_present(context: Context, key: int) -> ApiToken:
    token = await load_node(context, TOKENS, TOKEN_ROW, key)
    if token is None:
        raise ApiError("NOT_FOUND", "The token is gone.")
    return token
