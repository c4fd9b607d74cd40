"""Links to downloads that work once, without a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.models import Model

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Connection


class DownloadLink(Model):
    """A link that was not used yet; it opens what its token opens.

    Args:
        digest: of the link's secret and the path that it is for.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    token_id = fields.BigIntField()
    digest = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "download_links"
        indexes = (("app_id", "expires_at"),)


async def add_link(
    db: Connection, app_id: int, *, token_id: int, digest: str, seconds: int
) -> datetime:
    """Add a link, and return when it expires; the app's expired links go."""
    sql = """
        WITH expired AS (DELETE FROM download_links WHERE app_id = $1 AND expires_at <= now())
        INSERT INTO download_links (app_id, token_id, digest, expires_at)
        VALUES ($1, $2, $3, now() + $4::int * interval '1 second') RETURNING expires_at
    """
    expires_at: datetime = await db.fetchval(sql, app_id, token_id, digest, seconds)
    return expires_at


async def use_link(db: Connection, digest: str, *, is_kept: bool) -> str | None:
    """Use a link up, and return its token's digest; None if it is used, expired or unknown.

    Args:
        is_kept: only look, so that the link can still be used.
    """
    begin = "SELECT t.digest FROM download_links l, api_tokens t"
    if not is_kept:
        begin = "DELETE FROM download_links l USING api_tokens t"
    end = "" if is_kept else "RETURNING t.digest"
    found: str | None = await db.fetchval(
        f"{begin} WHERE l.digest = $1 AND l.expires_at > now() AND t.id = l.token_id {end}", digest
    )
    return found
