"""Finding the token of a request, for several requests in one read of the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from api.access.token_uses import TokenUses
from api.errors import HttpError, bad_request, say_expired
from models.access import find_tokens
from models.app import token_digest
from models.db import connection, is_passing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from api.access.quota import Quotas
    from models.access import TokenRecord

# Longer texts are no tokens; they are not worth hashing, nor a look-up.
_LONGEST_TOKEN = 200
_EXPIRED = 'Bearer error="invalid_token", error_description="The token has expired"'
# After this, the next read does not wait for the one before: its host may be gone.
_LONGEST_WAIT_SECONDS = 0.1


class Tokens:
    """Looks tokens up.

    Nothing is cached, so a revoked token stops working at once. A request that arrives while a read
    is under way waits for its end, and the next read is for all that arrived meanwhile. That read
    begins after they arrived, so its answer is not older than they are.
    """

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._next: asyncio.Task[Mapping[str, TokenRecord]] | None = None
        self._under_way: asyncio.Task[Mapping[str, TokenRecord]] | None = None
        self.uses = TokenUses()

    async def find(self, digest: str) -> TokenRecord | None:
        """Find a token that is not revoked; it may be expired."""
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._under_way))
        self._wanted.add(digest)
        # Shielded: a client that leaves must not cancel the look-up of all others.
        found = await asyncio.shield(self._next)
        return found.get(digest)

    async def _read(
        self, before: asyncio.Task[Mapping[str, TokenRecord]] | None
    ) -> Mapping[str, TokenRecord]:
        if before is not None and not before.done():
            await asyncio.wait({before}, timeout=_LONGEST_WAIT_SECONDS)
        # No `await` within these lines: what arrives after them starts the next task.
        wanted, self._wanted = self._wanted, set()
        self._under_way, self._next = self._next, None
        async with connection() as db:
            found = await find_tokens(db, wanted)
        self.uses.add(token.id for token in found.values() if not token.is_expired)
        return found


async def authenticate(request: Request) -> TokenRecord:
    """Find the token of a request, and count the request.

    An expired token gets an answer of its own. Revoked and unknown tokens get the same answer, so
    that a finder of a revoked token does not learn that it once worked.

    Raises:
        HttpError: there is no token, or more than one, it is not valid or has sent too many
            requests, or the database is away.
    """
    services = request.app.state.services
    headers = request.headers.getlist("authorization")
    # A proxy may have looked at the one, and this would obey the other.
    if len(headers) > 1:
        raise bad_request("The request has two Authorization headers: send one.")
    return admit(
        services.quotas, await find_bearer(services.tokens, headers[0] if headers else None)
    )


def admit(quotas: Quotas, token: TokenRecord | None) -> TokenRecord:
    """Let a token in, and count its request.

    Raises:
        HttpError: there is no token, or it is expired or has sent too many requests.
    """
    if token is None:
        raise HttpError(
            401,
            "UNAUTHENTICATED",
            "Send a valid token: Authorization: Bearer <token>",
            {"WWW-Authenticate": "Bearer"},
        )
    if token.is_expired:
        message = f"{say_expired(token.expires_at)}; ask for a new one."
        raise HttpError(401, "TOKEN_EXPIRED", message, {"WWW-Authenticate": _EXPIRED})
    quotas.for_token(token.id).count()
    return token


async def find_bearer(tokens: Tokens, authorization: object) -> TokenRecord | None:
    """Find the token in the value of an Authorization header; it may be expired.

    Raises:
        HttpError: the database is away.
    """
    scheme, _, text = authorization.partition(" ") if isinstance(authorization, str) else ("",) * 3
    text = text.strip()
    is_possible = text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST_TOKEN
    if scheme.lower() != "bearer" or not is_possible:
        return None
    try:
        return await tokens.find(token_digest(text))
    except Exception as error:
        if not is_passing(error):
            raise
        raise unavailable() from error


def unavailable() -> HttpError:
    """Make the error that the database is away."""
    # A new one each time: each `raise` of the same exception adds frames to its traceback, which
    # would keep the requests of an outage in memory for ever.
    return HttpError(503, "UNAVAILABLE", "The service can't be reached right now; try again.")
