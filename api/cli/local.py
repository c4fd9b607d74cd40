"""Commands that use the database without the API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from api.cli.failure import RefusedError
from api.settings import process_environment
from models.app import App
from models.db import database

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from api.cli.folder import DataFolder

T = TypeVar("T")


def database_url(folder: DataFolder) -> str:
    """Return DATABASE_URL, or the URL that the local `caseroll up` noted in its folder.

    Raises:
        RefusedError: there is neither.
    """
    url = process_environment().get("DATABASE_URL", "").strip() or folder.read("database.url")
    if not url:
        raise RefusedError("DATABASE_URL is not set, and no `caseroll up` runs here.")
    return url


def on_database(url: str, work: Coroutine[None, None, T]) -> T:
    """Open the database, do the work, close it."""

    async def run() -> T:
        async with database(url, connections=2):
            return await work

    try:
        return asyncio.run(run())
    finally:
        # If the database can't be opened, the coroutine never runs, and Python would warn of that.
        work.close()


async def find_app(slug: str) -> App:
    """Find an app.

    Raises:
        RefusedError: no app has this slug.
    """
    app = await App.get_or_none(slug=slug)
    if app is None:
        known = ", ".join(sorted(await App.all().values_list("slug", flat=True))) or "none"  # type: ignore[arg-type]
        raise RefusedError(f"there is no app {slug!r}; the apps are: {known}.")
    return app
