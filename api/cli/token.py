"""`caseroll token`: API tokens."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import click

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, find_app, on_database
from api.cli.output import json_option, print_json, print_table, say
from models.app import ApiToken, Permission, create_token, revoke_token
from models.audit import COMMAND_LINE

_DAYS = re.compile(r"([1-9][0-9]{0,4})d")


class _Expiry(click.ParamType[datetime]):
    """A number of days from now, or the last day."""

    name = "90d|2027-01-31"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> datetime:
        """Return the moment at which the token expires."""
        text, now = str(value), datetime.now(UTC)
        try:
            if days := _DAYS.fullmatch(text):
                return now + timedelta(days=int(days[1]))
            after = date.fromisoformat(text) + timedelta(days=1)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is neither a number of days, 90d, nor a date, 2027-01-31.")
        expires_at = datetime(after.year, after.month, after.day, tzinfo=UTC)
        if expires_at <= now:
            self.fail(f"{text} is over.")
        return expires_at


@click.group()
def token() -> None:
    """Manage API tokens; a token opens one app."""


@token.command()
@click.option("--app", "slug", required=True, help="The app that the token opens.")
@click.option("--viewer", is_flag=True, help="The token may read only.")
@click.option("--name", default="unnamed", show_default=True, help="What it is for.")
@click.option(
    "--expires",
    "expires_at",
    type=_Expiry(),
    help="After that number of days, or at the end of that day, UTC.  [default: never]",
)
@folder_option
def create(
    slug: str, name: str, expires_at: datetime | None, folder: DataFolder, *, viewer: bool
) -> None:
    """Create a token and print it; it can't be shown again."""
    if name.strip().lower() == COMMAND_LINE.name:
        hint = "the audit trail calls what is done here so; choose another name."
        raise click.BadParameter(f"{name!r} can't be a token's name: {hint}", param_hint="--name")
    permission = Permission.VIEWER if viewer else Permission.ADMIN
    created = on_database(database_url(folder), _create(slug, name, permission, expires_at))
    until = f" until {_time(expires_at)}" if expires_at else ""
    say(f"A token of permission {permission} for the app {slug}{until}; it is not shown again:")
    click.echo(created)


@token.command("list")
@json_option
@folder_option
def list_(folder: DataFolder, *, as_json: bool) -> None:
    """List all tokens, without their secrets."""
    rows = on_database(database_url(folder), _list())
    if as_json:
        print_json(rows)
        return
    columns = ["id", "app", "name", "permission", "state", "created", "used", "expires", "revoked"]
    print_table(columns, [[row[column] for column in columns] for row in rows])


@token.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@folder_option
def revoke(number: int, folder: DataFolder) -> None:
    """Revoke the token with this ID of `caseroll token list`; it stops working at once."""
    name = on_database(database_url(folder), revoke_token(number))
    if name is None:
        raise RefusedError(f"there is no token {number}; see `caseroll token list`.")
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
            "state": _state(token),
            "created": _time(token.created_at),
            "used": _time(token.last_used_at),
            "expires": _time(token.expires_at),
            "revoked": _time(token.revoked_at),
        }
        for token in tokens
    ]


def _state(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    is_expired = token.expires_at is not None and token.expires_at <= datetime.now(UTC)
    return "expired" if is_expired else "live"


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
