"""Prepares the database for `caseroll up`: a schema, an app, an admin's token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from api.demo.load import create_demo
from models.app import ApiToken, App, Permission, create_app, create_token, token_digest
from models.db import database, migrate

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAIN_SLUG, _MAIN_NAME = "main", "Main"
_TOKEN_NAME = "caseroll up"  # noqa: S105 - the name of a token, not a token


async def prepare(
    url: str, old_token: str | None, migrations: Mapping[str, str], *, demo: bool
) -> str:
    """Migrate the database, create an app if there is none, and return an admin's token.

    Args:
        url: the database.
        old_token: returned if it still opens the right app.
        migrations: those of plugins' own tables.
        demo: create the demo app, and return a token of that one.
    """
    await migrate(url, migrations)
    async with database(url, connections=2):
        app = await create_demo() if demo else None
        if old_token and await _is_good(old_token, app):
            return old_token
        return await create_token(app or await _first_app(), _TOKEN_NAME, Permission.ADMIN)


async def _is_good(token: str, app: App | None) -> bool:
    found = await ApiToken.get_or_none(digest=token_digest(token), revoked_at=None)
    if found is None or found.permission is not Permission.ADMIN:
        return False
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        return False
    return app is None or app.id == found.app_id


async def _first_app() -> App:
    app = await App.all().order_by("id").first()
    if app is not None:
        return app
    return await create_app(_MAIN_SLUG, _MAIN_NAME)
