"""Letting requests in by their bearer token."""

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

    Whoever holds a token that has expired is told so. Whether a token was revoked or has never
    been is told to nobody.

    Raises:
        HttpError: there is none, it is not good or has asked too much, or the database can't be
            asked.
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
        HttpError: the database can't be asked.
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
