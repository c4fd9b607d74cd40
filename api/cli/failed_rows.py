"""`caseroll failed-rows`: an import's failed rows, as a file to correct and upload again."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from api.cli.client import ApiClient, find_api
from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option

_BY_ID = "query ($id: ID!) { import(id: $id) { name failedRowsUrl } }"
_BY_NAME = """
query ($name: String!) {
  imports(first: 100, search: $name) { edges { node { name failedRowsUrl } } }
}
"""


@click.command("failed-rows")
@click.argument("wanted", metavar="IMPORT")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@folder_option
def failed_rows(wanted: str, output: Any, folder: DataFolder) -> None:
    """Download the failed rows of IMPORT, an ID or a name, as a CSV file to correct and upload."""
    asyncio.run(_download(find_api(folder), wanted, output))


async def _download(api: ApiClient, wanted: str, output: Any) -> None:
    data = await api.execute(_BY_NAME, name=wanted)
    named = [edge["node"] for edge in data["imports"]["edges"] if edge["node"]["name"] == wanted]
    # The newest of that name, or else the one with that ID.
    found = named[0] if named else (await api.execute(_BY_ID, id=wanted))["import"]
    if found is None:
        raise RefusedError(f"there is no import with the ID or name {wanted!r}.")
    if found["failedRowsUrl"] is None:
        raise RefusedError(f"no row of the import {found['name']!r} failed.")
    await api.download(found["failedRowsUrl"], output.write)
