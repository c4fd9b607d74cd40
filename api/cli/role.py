"""`caseroll role`: the roles of users on cases."""

from __future__ import annotations

import re

import click
from tortoise.exceptions import IntegrityError

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, find_app, on_database
from models.app import add_role

_KEY = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")


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
    on_database(database_url(folder), _add(slug, key, label.strip()))
    click.echo(f"Added the role {key} to the app {slug}.")


async def _add(slug: str, key: str, label: str) -> None:
    app = await find_app(slug)
    try:
        await add_role(app, key, label)
    except IntegrityError:
        raise RefusedError(f"the app {slug} has a role {key!r} already.") from None
