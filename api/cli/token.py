"""`caseroll token`: what opens the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, find_app, on_database
from api.cli.output import json_option, print_json, print_table, say
from models.app import ApiToken, Permission, create_token


@click.group()
def token() -> None:
    """Manage API tokens; a token opens one app."""


@token.command()
@click.option("--app", "slug", required=True, help="The app that the token opens.")
@click.option("--viewer", is_flag=True, help="The token may read only.")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--days", type=click.IntRange(min=1), help="It ends after so many days.")
@folder_option
def create(slug: str, name: str, days: int | None, folder: DataFolder, *, viewer: bool) -> None:
    """Create a token and print it: this is the only time that it can be seen."""
    permission = Permission.VIEWER if viewer else Permission.ADMIN
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    created = on_database(database_url(folder), _create(slug, name, permission, expires_at))
    say(f"A token of permission {permission} for the app {slug}; it is not shown again:")
    click.echo(created)


@token.command("list")
@json_option
@folder_option
def list_(folder: DataFolder, *, as_json: bool) -> None:
    """List all tokens, without what opens them."""
    rows = on_database(database_url(folder), _list())
    if as_json:
        print_json(rows)
        return
    columns = ["id", "app", "name", "permission", "created", "expires", "revoked"]
    print_table(columns, [[row[column] for column in columns] for row in rows])


@token.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@folder_option
def revoke(number: int, folder: DataFolder) -> None:
    """Make the token with this ID of `caseroll token list` useless, at once."""
    name = on_database(database_url(folder), _revoke(number))
    click.echo(f"Revoked token {number}, {name!r}.")


async def _create(slug: str, name: str, permission: Permission, expires_at: datetime | None) -> str:
    return await create_token(await find_app(slug), name, permission, expires_at=expires_at)


async def _list() -> list[dict[str, object]]:
    tokens = await ApiToken.all().order_by("id").select_related("app")
    return [
        {
            "id": token.id,
            "app": token.app.slug,
            "name": token.name,
            "permission": token.permission.value,
            "created": _time(token.created_at),
            "expires": _time(token.expires_at),
            "revoked": _time(token.revoked_at),
        }
        for token in tokens
    ]


async def _revoke(number: int) -> str:
    token = await ApiToken.get_or_none(id=number)
    if token is None:
        raise RefusedError(f"there is no token {number}; see `caseroll token list`.")
    if token.revoked_at is None:
        token.revoked_at = datetime.now(UTC)
        await token.save(update_fields=["revoked_at"])
    return token.name


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
