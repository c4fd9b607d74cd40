"""`caseroll export`: what is stored, as a file to change and upload."""

from __future__ import annotations

import asyncio
from typing import IO, TYPE_CHECKING
from urllib.parse import urlencode

import click

from api.cli.client import find_api
from api.cli.file_format import format_option, is_workbook
from api.cli.folder import DataFolder, folder_option

if TYPE_CHECKING:
    from collections.abc import Mapping

# As in `api.files.export_nouns`, which takes as long to load as all other modules of this command.
NOUNS = ("assignments", "users", "cases")


@click.command()
@click.argument("noun", type=click.Choice(NOUNS))
@click.option(
    "--type", help="Import type of the file, such as assign.  [default: one that modifies]"
)
@click.option("--case", help="Only assignments to this case: a Tag ID or ID.")
@click.option("--user", help="Only assignments of this user: a Tag ID or ID.")
@click.option("--role", help="Only assignments in this role.")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@format_option
@folder_option
def export(
    noun: str, output: IO[bytes], format_: str | None, folder: DataFolder, **asked: str | None
) -> None:
    """Write assignments, users or cases to a file that an import type reads.

    Imported unchanged, the file changes nothing; one of type remove removes what is in it.
    """
    extension = "xlsx" if is_workbook(format_, output) else "csv"
    path = _path_of(noun, extension, asked)

    def write(block: bytes) -> None:
        # `output.write` itself would open the file before the API has refused anything.
        output.write(block)

    asyncio.run(find_api(folder).download(path, write))


def _path_of(noun: str, extension: str, asked: Mapping[str, str | None]) -> str:
    given = {name: value for name, value in asked.items() if value is not None}
    path = f"/files/{noun}.{extension}"
    return f"{path}?{urlencode(given)}" if given else path
