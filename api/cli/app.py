"""`caseroll app` and `caseroll role`: apps, the tenants, and the roles of their users on cases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
from tortoise.exceptions import IntegrityError

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, find_app, on_database
from api.cli.output import json_option, print_json, print_table
from api.cli.printable import printable
from api.settings import plugins_file, process_environment
from importers.plugins.registry import load
from models.app import Role, add_role, create_app
from models.audit import COMMAND_LINE
from models.consequences import read_required_role
from models.db import connection, transaction
from models.guard import update_guard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.app import App

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_KEY = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
_NAME_LONGEST = 200
_OFF = 0


class _PercentOrOff(click.ParamType[int]):
    """A number from 1 to 100, or `off`, which is 0."""

    name = "1..100|off"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> int:
        """Return the number."""
        text = str(value)
        if text == "off":
            return _OFF
        if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 100:
            self.fail(f"{text!r} is neither a number from 1 to 100 nor 'off'.")
        return int(text)


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


@app.command()
@click.argument("slug")
@json_option
@folder_option
def show(slug: str, folder: DataFolder, *, as_json: bool) -> None:
    """Show the app SLUG: its name, and what holds its imports."""
    _print_app(*on_database(database_url(folder), _read_app(slug)), as_json=as_json)


@app.command("set")
@click.argument("slug")
@click.option("--name", help="A name for people.")
@click.option(
    "--remove-percent",
    type=_PercentOrOff(),
    help="Hold imports that would remove more than so many percent of the app's assignments, or of"
    " those of one case.",
)
@click.option(
    "--remove-at-least",
    type=click.IntRange(1, 2**31 - 1),
    help="But no import that would remove fewer than these in all.",
)
@click.option(
    "--requires-release/--no-requires-release",
    default=None,
    help="Hold every import until another token releases it.",
)
@click.option(
    "--release-type",
    "release_types",
    multiple=True,
    metavar="KEY",
    help="Hold every import of this type likewise; may be repeated, and replaces the list.",
)
@click.option("--no-release-types", "clears_types", is_flag=True, help="Empty that list.")
@click.option(
    "--required-role",
    metavar="KEY|OFF",
    help="The role in which each case should have a user: plans tell of cases without one.",
)
@json_option
@folder_option
def set_(
    slug: str,
    folder: DataFolder,
    *,
    name: str | None,
    remove_percent: int | None,
    remove_at_least: int | None,
    requires_release: bool | None,
    release_types: Sequence[str],
    clears_types: bool,
    required_role: str | None,
    as_json: bool,
) -> None:
    """Change the app SLUG: its name, and what holds its imports.

    What no option names stays as it is.
    """
    if release_types and clears_types:
        raise click.UsageError("--release-type and --no-release-types contradict each other.")
    given = {
        "name": None if name is None else _checked_name(name),
        "remove_percent": remove_percent,
        "remove_at_least": remove_at_least,
        "requires_release": requires_release,
        "release_types": [] if clears_types else _known_types(release_types) or None,
        "required_role": required_role,
    }
    changes: dict[str, object] = {key: each for key, each in given.items() if each is not None}
    if not changes:
        raise click.UsageError("there is nothing to set; `caseroll app set --help` lists options.")
    if remove_percent == _OFF:
        changes["remove_percent"] = None
    _print_app(*on_database(database_url(folder), _update_app(slug, changes)), as_json=as_json)


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


def _checked_name(name: str) -> str:
    text = name.strip()
    if not 0 < len(text) <= _NAME_LONGEST or printable(text) != text:
        raise RefusedError(
            f"an app's name has 1 to {_NAME_LONGEST} characters, none of them a control character."
        )
    return text


def _known_types(keys: Sequence[str]) -> list[str]:
    """Return the keys in order, each once.

    Raises:
        RefusedError: no import type that is on has one of them.
    """
    if not keys:
        return []
    known = load(plugins_file(process_environment())).importers
    for key in keys:
        if key not in known:
            raise RefusedError(
                f"there is no import type {key!r}; the types are: {', '.join(known)}."
            )
    return sorted(set(keys))


async def _update_app(slug: str, changes: Mapping[str, object]) -> tuple[App, str | None]:
    app = await find_app(slug)
    if "required_role" in changes:
        key = str(changes["required_role"])
        others = {name: value for name, value in changes.items() if name != "required_role"}
        changes = {**others, "required_role_id": await _role_id(app, key)}
    async with transaction() as db:
        await update_guard(db, app.id, changes, by=COMMAND_LINE)
    return await _read_app(slug)


async def _read_app(slug: str) -> tuple[App, str | None]:
    """Return an app, and the key of the role that its cases require."""
    app = await find_app(slug)
    async with connection() as db:
        return app, await read_required_role(db, app.id)


async def _role_id(app: App, key: str) -> int | None:
    role = await Role.get_or_none(app_id=app.id, key=key)
    if role is None and key.lower() != "off":
        raise RefusedError(f"the app has no role {key!r}.")
    return role.id if role else None


def _print_app(app: App, required_role: str | None, *, as_json: bool) -> None:
    if as_json:
        guards = {
            "removePercent": app.remove_percent,
            "removeAtLeast": app.remove_at_least,
            "requiresRelease": app.requires_release,
            "releaseTypes": app.release_types,
        }
        shown = {"slug": app.slug, "name": app.name, "guards": guards}
        print_json({**shown, "requiredRole": required_role})
        return
    settings = {
        "name": app.name,
        "remove-percent": "off" if app.remove_percent is None else app.remove_percent,
        "remove-at-least": app.remove_at_least,
        "requires-release": "yes" if app.requires_release else "no",
        "release-type": ", ".join(app.release_types) or "none",
        "required-role": required_role or "none",
    }
    print_table(["setting", "value"], settings.items())
