"""Letting requests in by their bearer token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.errors import HttpError
from api.scope import undisturbed
from models.access import TokenRecord, find_token
from models.app import token_digest
from models.db import connection, is_passing

if TYPE_CHECKING:
    from starlette.requests import Request

_LONGEST_TOKEN = 200


async def authenticate(request: Request) -> TokenRecord:
    """Find the token of a request.

    Raises:
        HttpError: there is none, it is not good, or the database can't be asked.
    """
    token = await find_bearer(request.headers.get("authorization"))
    if token is None:
        raise HttpError(
            401,
            "UNAUTHENTICATED",
            "Send a valid token: Authorization: Bearer <token>",
            {"WWW-Authenticate": "Bearer"},
        )
    return token


async def find_bearer(authorization: object) -> TokenRecord | None:
    """Find the token in the value of an Authorization header.

    Raises:
        HttpError: the database can't be asked.
    """
    scheme, _, text = authorization.partition(" ") if isinstance(authorization, str) else ("",) * 3
    text = text.strip()
    is_possible = text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST_TOKEN
    if scheme.lower() != "bearer" or not is_possible:
        return None
    try:
        return await undisturbed(_find(token_digest(text)))
    except Exception as error:
        if not is_passing(error):
            raise
        raise HttpError(
            503, "UNAVAILABLE", "The service can't be reached right now; try again."
        ) from error


async def _find(digest: str) -> TokenRecord | None:
    async with connection() as db:
        return await find_token(db, digest)
