"""Finding the token of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.errors import HttpError, say_expired
from models.app import token_digest
from models.db import is_passing

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.access.services import Services
    from api.access.tokens import Tokens
    from models.access import TokenRecord

UNAVAILABLE = HttpError(503, "UNAVAILABLE", "The service can't be reached right now; try again.")
_LONGEST_TOKEN = 200
_EXPIRED = 'Bearer error="invalid_token", error_description="The token has expired"'


async def authenticate(request: Request) -> TokenRecord:
    """Find the token of a request, and count the request.

    An expired token gets an answer of its own. Revoked and unknown tokens get the same answer, so
    that a finder of a revoked token does not learn that it once worked.

    Raises:
        HttpError: there is no token, it is not valid or has sent too many requests, or the database
            is away.
    """
    services: Services = request.app.state.services
    token = await find_bearer(services.tokens, request.headers.get("authorization"))
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
    services.quotas.for_token(token.id).count()
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
        raise UNAVAILABLE from error
