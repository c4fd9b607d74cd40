"""Who a bearer token lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncpg import Connection

_IS_LIVE = "t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())"


class TokenRecord(NamedTuple):
    """A token that opens its app now."""

    id: int
    name: str
    permission: Permission
    app_id: int
    app_slug: str
    app_name: str


async def find_token(db: Connection, digest: str) -> TokenRecord | None:
    """Find a token that is neither revoked nor expired.

    Looking a digest up in an index gives nothing away in its timing: nobody can choose a token
    by the digits of its SHA-256.
    """
    row = await db.fetchrow(
        f"""
        SELECT t.id, t.name, t.permission, a.id, a.slug, a.name
        FROM api_tokens t JOIN apps a ON a.id = t.app_id WHERE t.digest = $1 AND {_IS_LIVE}
        """,
        digest,
    )
    if row is None:
        return None
    token_id, name, permission, *app = row
    return TokenRecord(token_id, name, Permission(permission), *app)


async def live_tokens(db: Connection, token_ids: Collection[int]) -> set[int]:
    """Tell which of these tokens still open their app."""
    rows = await db.fetch(
        f"SELECT t.id FROM api_tokens t WHERE t.id = ANY($1::bigint[]) AND {_IS_LIVE}",
        list(token_ids),
    )
    return {row[0] for row in rows}
