"""`caseroll app` and `caseroll role`: apps, the tenants, and the roles of their users on cases."""

from __future__ import annotations

import re

import click
from tortoise.exceptions import IntegrityError

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, find_app, on_database
from models.app import add_role, create_app

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_KEY = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")


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
    try:
        on_database(database_url(folder), create_app(slug, name))
    except IntegrityError:
        raise RefusedError(f"there is an app {slug!r} already.") from None
    click.echo(f"Created the app {slug}. Next: caseroll token create --app {slug}")


@click.group()
def role() -> None:
    """Manage the roles of apps; each begins with clients, staff and default."""


@role.command()
@click.option("--app", "slug", required=True, help="The app that the role is for.")
@click.argument("key")
@click.argument("label")
@folder_option
def add(slug: str, key: str, label: str, folder: DataFolder) -> None:
    """Add the role KEY, which files name, with a LABEL for people. It stays for ever."""
    if not _KEY.fullmatch(key):
        raise RefusedError(
            "a role's key is made of a to z, 0 to 9 and inner hyphens or underscores, at most 64"
            " of them."
        )
    if not 0 < len(label.strip()) <= 200:
        raise RefusedError("a role's label has 1 to 200 characters.")
    on_database(database_url(folder), _add_role(slug, key, label.strip()))
    click.echo(f"Added the role {key} to the app {slug}.")


async def _add_role(slug: str, key: str, label: str) -> None:
    app = await find_app(slug)
    try:
        await add_role(app, key, label)
    except IntegrityError:
        raise RefusedError(f"the app {slug} has a role {key!r} already.") from None
