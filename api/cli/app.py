"""`caseroll app`: apps, the tenants."""

from __future__ import annotations

import re

import click
from tortoise.exceptions import IntegrityError

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, on_database
from models.app import create_app

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")


@click.group()
def app() -> None:
    """Manage apps: every case, user and import belongs to one."""


@app.command()
@click.argument("slug")
@click.argument("name")
@folder_option
def create(slug: str, name: str, folder: DataFolder) -> None:
    """Create the app SLUG with the roles clients, staff and default."""
    if not _SLUG.fullmatch(slug):
        raise RefusedError(
            "a slug is made of a to z, 0 to 9 and inner hyphens, at most 64 of them."
        )
    on_database(database_url(folder), _create(slug, name))
    click.echo(f"Created the app {slug}. Next: caseroll token create --app {slug}")


async def _create(slug: str, name: str) -> None:
    try:
        await create_app(slug, name)
    except IntegrityError:
        raise RefusedError(f"there is an app {slug!r} already.") from None
