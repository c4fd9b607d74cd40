"""`caseroll import-types` and `caseroll sample`: the import types, and their sample files."""

from __future__ import annotations

import asyncio
from typing import IO, TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.file_format import format_option, is_workbook
from api.cli.folder import DataFolder, folder_option
from api.cli.output import is_for_people, json_option, print_json, print_table
from api.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_TYPES = """
{ importTypes { key label description columns { name required description example choices } } }
"""
_SAMPLE = """
query ($type: String!) {
  sampleTemplate(type: $type) { content workbookUrl } importTypes { key }
}
"""
_COLUMNS = ["column", "required", "what goes in", "example", "choices"]


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@json_option
@folder_option
def import_types(type_: str | None, folder: DataFolder, *, as_json: bool) -> None:
    """List what can be imported: each TYPE with its columns."""
    data = asyncio.run(find_api(folder).execute(_TYPES))
    types = data["importTypes"]
    found = [each for each in types if type_ in (None, each["key"])]
    if type_ and not found:
        raise _unknown_type(type_, types)
    if as_json:
        print_json(found)
    elif is_for_people():
        for number, each in enumerate(found):
            if number:
                click.echo()
            click.echo(f"{click.style(printable(each['label']), bold=True)} ({each['key']})")
            click.echo(f"{printable(each['description'])}\n")
            print_table(_COLUMNS, _column_rows(each))
    else:
        rows = [[each["key"], *row] for each in found for row in _column_rows(each)]
        print_table(["type", *_COLUMNS], rows)


@click.command()
@click.argument("type_", metavar="TYPE")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@format_option
@folder_option
def sample(type_: str, output: IO[bytes], format_: str | None, folder: DataFolder) -> None:
    """Write the sample file of an import TYPE: its header and one example row."""
    asyncio.run(_write_sample(folder, type_, output, in_workbook=is_workbook(format_, output)))


async def _write_sample(
    folder: DataFolder, type_: str, output: IO[bytes], *, in_workbook: bool
) -> None:
    api = find_api(folder)
    data = await api.execute(_SAMPLE, type=type_)
    found = data["sampleTemplate"]
    if found is None:
        raise _unknown_type(type_, data["importTypes"])
    if in_workbook:
        await api.download(found["workbookUrl"], output.write)
    else:
        output.write(found["content"].encode())


def _unknown_type(key: str, types: Sequence[dict[str, Any]]) -> RefusedError:
    known = ", ".join(each["key"] for each in types)
    return RefusedError(f"there is no import type {key!r}; the types are: {known}.")


def _column_rows(each: dict[str, Any]) -> list[list[object]]:
    return [
        [
            column["name"],
            "yes" if column["required"] else "",
            column["description"],
            column["example"],
            ", ".join(column["choices"] or ()),
        ]
        for column in each["columns"]
    ]
