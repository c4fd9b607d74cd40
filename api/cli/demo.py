"""`caseroll demo`: the demo app with its data."""

from __future__ import annotations

import click

from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url, on_database
from api.demo.load import CASES, DEMO_SLUG, USERS, create_demo, has_demo


@click.command()
@folder_option
def demo(folder: DataFolder) -> None:
    """Create the app `demo`: cases trv-001 …, users jack-001, jones-001 …"""
    is_new = on_database(database_url(folder), _demo())
    if is_new:
        click.echo(f"Created the app {DEMO_SLUG} with {CASES} cases and {USERS} users.")
    else:
        click.echo(f"The app {DEMO_SLUG} is there already; nothing was changed.")


async def _demo() -> bool:
    if await has_demo():
        return False
    await create_demo()
    return True
