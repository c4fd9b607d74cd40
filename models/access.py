"""Which bearer tokens are valid, and for which app."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from asyncpg import Connection

# By the clock of the database: those of the hosts may differ.
_IS_EXPIRED = "coalesce(t.expires_at <= now(), false)"


class TokenRecord(NamedTuple):
    """A token that is not revoked; it opens its app unless it is expired."""

    id: int
    name: str
    permission: Permission
    app_id: int
    app_slug: str
    app_name: str
    expires_at: datetime | None = None
    is_expired: bool = False


class EndedTokens(NamedTuple):
    """Tokens that are not valid any more; of those that expired, since when."""

    revoked: Collection[int]
    expired: Mapping[int, datetime]


async def find_tokens(db: Connection, digests: Collection[str]) -> dict[str, TokenRecord]:
    """Find those tokens that are not revoked, by digest.

    No timing attack: nothing compares a token with a secret, so no time tells how much of it was
    right. An index looks up the SHA-256 of what was sent. That may leak how a stored digest begins,
    but an attacker can't choose tokens by their digest, nor compute a token from one.
    """
    sql = f"""
        SELECT t.digest, t.id, t.name, t.permission, a.id, a.slug, a.name, t.expires_at,
          {_IS_EXPIRED}
        FROM api_tokens t JOIN apps a ON a.id = t.app_id
        WHERE t.digest = ANY($1::text[]) AND t.revoked_at IS NULL
    """
    rows = await db.fetch(sql, list(digests))
    return {
        digest: TokenRecord(token_id, name, Permission(permission), *others)
        for digest, token_id, name, permission, *others in rows
    }


async def ended_tokens(db: Connection, token_ids: Collection[int]) -> EndedTokens:
    """Tell which of these tokens no longer open their app; one that is gone counts as revoked."""
    sql = f"""
        SELECT t.id, {_IS_EXPIRED}, t.expires_at FROM api_tokens t
        WHERE t.id = ANY($1::bigint[]) AND t.revoked_at IS NULL
    """
    rows = await db.fetch(sql, list(token_ids))
    return EndedTokens(
        revoked=set(token_ids) - {row[0] for row in rows},
        expired={row[0]: row[2] for row in rows if row[1]},
    )
