"""Which bearer tokens are valid, and for which app."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.app import Permission
from models.audit import Action, record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from asyncpg import Connection

    from models.audit import Actor

MOST_TOKENS = 100
"""Tokens of an app that are neither revoked nor expired, if clients make them: each has a quota of
its own, so without a limit an app could take as much of the API as it likes."""

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


async def note_use(db: Connection, token_ids: Collection[int]) -> None:
    """Note that tokens have been used now, unless that is known to the minute."""
    # SKIP LOCKED: another process that notes the same is not waited for.
    sql = """
        UPDATE api_tokens SET last_used_at = now() WHERE id IN (
          SELECT id FROM api_tokens
          WHERE id = ANY($1::bigint[])
            AND coalesce(last_used_at < now() - interval '1 minute', true)
          FOR NO KEY UPDATE SKIP LOCKED)
    """
    await db.execute(sql, list(token_ids))


class NewToken(NamedTuple):
    """A token to be made."""

    name: str
    digest: str
    permission: Permission
    expires_at: datetime | None


async def insert_token(db: Connection, app_id: int, new: NewToken, *, by: Actor) -> int | None:
    """Create a token and return its key; None when the app has `MOST_TOKENS` already."""
    sql = """
        INSERT INTO api_tokens (app_id, name, digest, permission, expires_at)
        SELECT $1, $2, $3, $4, $5 WHERE (
          SELECT count(*) FROM token_names WHERE app_id = $1 AND revoked_at IS NULL
            AND coalesce(expires_at > now(), true)) < $6
        RETURNING id
    """
    key: int | None = await db.fetchval(sql, app_id, *new, MOST_TOKENS)
    if key is not None:
        await record(db, app_id, by, Action.TOKEN_CREATED, key, name=new.name)
    return key


async def end_token(db: Connection, app_id: int, key: int, *, by: Actor) -> None:
    """Revoke a token of the app; one that is revoked keeps its time, and has one event."""
    sql = """
        UPDATE api_tokens t SET revoked_at = now() FROM token_names n
        WHERE n.app_id = $1 AND n.id = $2 AND n.revoked_at IS NULL AND t.id = n.id
        RETURNING n.name
    """
    name = await db.fetchval(sql, app_id, key)
    if name is not None:
        await record(db, app_id, by, Action.TOKEN_REVOKED, key, name=name)
