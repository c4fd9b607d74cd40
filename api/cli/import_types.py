"""`caseroll import-types`: the import types and their columns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.output import is_for_people, json_option, print_json, print_table
from api.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_TYPES = """
{ importTypes { key label description columns { name required description example choices } } }
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
        known = ", ".join(each["key"] for each in types)
        raise RefusedError(f"there is no import type {type_!r}; the types are: {known}.")
    if as_json:
        print_json(found)
    elif is_for_people():
        _show(found)
    else:
        rows = [[each["key"], *row] for each in found for row in _rows(each)]
        print_table(["type", *_COLUMNS], rows)


def _show(types: Sequence[dict[str, Any]]) -> None:
    for number, each in enumerate(types):
        if number:
            click.echo()
        click.echo(f"{click.style(printable(each['label']), bold=True)} ({each['key']})")
        click.echo(f"{printable(each['description'])}\n")
        print_table(_COLUMNS, _rows(each))


def _rows(each: dict[str, Any]) -> list[list[object]]:
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
