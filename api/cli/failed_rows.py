"""`caseroll failed-rows`: an import's failed rows, as a file to correct and upload again."""

from __future__ import annotations

import asyncio
from typing import IO, TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.file_format import format_option, is_workbook
from api.cli.folder import DataFolder, folder_option

if TYPE_CHECKING:
    from api.cli.client import ApiClient

_FIELDS = "name finishedAt purgedAt failedRowsUrl failedRowsWorkbookUrl"
_BY_NAME = """
query ($name: String!) { imports(first: 100, search: $name) { edges { node { id name } } } }
"""


@click.command("failed-rows")
@click.argument("wanted", metavar="IMPORT")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@format_option
@folder_option
def failed_rows(wanted: str, output: IO[bytes], format_: str | None, folder: DataFolder) -> None:
    """Download the failed rows of IMPORT, an ID or a name, to correct and upload the file."""
    url = "failedRowsWorkbookUrl" if is_workbook(format_, output) else "failedRowsUrl"
    asyncio.run(_download(find_api(folder), wanted, url, output))


async def _download(api: ApiClient, wanted: str, url: str, output: IO[bytes]) -> None:
    found = await find_import(api, wanted, _FIELDS)
    if found[url] is None:
        raise RefusedError(_why_there_is_no_file(found))
    await api.download(found[url], output.write)


async def find_import(
    api: ApiClient, wanted: str, fields: str, first: int | None = None
) -> dict[str, Any]:
    """Read fields of the newest import of a name, or else of the one with that ID.

    Args:
        fields: a selection; it may have the variable `$first`.

    Raises:
        RefusedError: there is neither.
    """
    data = await api.execute(_BY_NAME, name=wanted)
    named = [edge["node"] for edge in data["imports"]["edges"] if edge["node"]["name"] == wanted]
    variable, page = ("", {}) if first is None else (", $first: Int", {"first": first})
    query = f"query ($id: ID!{variable}) {{ import(id: $id) {{ {fields} }} }}"
    key = named[0]["id"] if named else wanted
    found: dict[str, Any] | None = (await api.execute(query, id=key, **page))["import"]
    if found is None:
        raise RefusedError(f"there is no import with the ID or name {wanted!r}.")
    return found


def _why_there_is_no_file(found: dict[str, Any]) -> str:
    if not found["finishedAt"]:
        return f"the import {found['name']!r} is still running; try again when it has ended."
    if found["purgedAt"]:
        return f"the rows of the import {found['name']!r} were removed on {found['purgedAt'][:10]}."
    return f"no row of the import {found['name']!r} failed."
