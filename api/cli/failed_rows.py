"""`caseroll failed-rows` and `caseroll results`: rows of an import as a file."""

from __future__ import annotations

import asyncio
from typing import IO, TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.file_format import format_option, is_workbook
from api.cli.folder import DataFolder, folder_option
from api.cli.named import find_import

if TYPE_CHECKING:
    from api.cli.client import ApiClient

_FIELDS = "finishedAt purgedAt total failedRowsUrl failedRowsWorkbookUrl resultsUrl"


@click.command("failed-rows")
@click.argument("wanted", metavar="IMPORT")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@format_option
@folder_option
def failed_rows(wanted: str, output: IO[bytes], format_: str | None, folder: DataFolder) -> None:
    """Download the failed rows of IMPORT, an ID or a name, to correct and upload the file."""
    url = "failedRowsWorkbookUrl" if is_workbook(format_, output) else "failedRowsUrl"
    asyncio.run(_download(find_api(folder), wanted, url, output))


@click.command()
@click.argument("wanted", metavar="IMPORT")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@folder_option
def results(wanted: str, output: IO[bytes], folder: DataFolder) -> None:
    """Download all rows of IMPORT, an ID or a name, with status, outcome and errors, as CSV."""
    asyncio.run(_download(find_api(folder), wanted, "resultsUrl", output))


async def _download(api: ApiClient, wanted: str, url: str, output: IO[bytes]) -> None:
    found = await find_import(api, wanted, _FIELDS)
    if found[url] is None:
        raise RefusedError(_why_there_is_no_file(found))
    await api.download(found[url], output.write)


def _why_there_is_no_file(found: dict[str, Any]) -> str:
    if not found["finishedAt"]:
        return f"the import {found['name']!r} is still running; try again when it has ended."
    if found["purgedAt"]:
        return f"the rows of the import {found['name']!r} were removed on {found['purgedAt'][:10]}."
    if not found["total"]:
        return f"the import {found['name']!r} has no rows."
    return f"no row of the import {found['name']!r} failed."
