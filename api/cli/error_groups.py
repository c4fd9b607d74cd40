"""`caseroll groups` and `caseroll retry`: what failed rows have in common, and how it is mended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.import_mutation import ImportMutation, watch_option
from api.cli.named import find_import, find_only_import
from api.cli.output import is_for_people, json_option, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUPS = """
errorGroups(first: %d) {
  totalCount isComplete
  edges { node {
    column code value suggestion message params { name value } count rows firstRow
  } }
}
"""
_RETRY = """
mutation (
  $id: ID!, $where: FailedRowsInput, $set: [CellInput!], $except: [FailedRowsInput!]
) {
  retryImport(id: $id, where: $where, set: $set, except: $except) {
    import { ...Fields } userErrors { code message field }
  }
}
"""


@click.command()
@click.argument("wanted", metavar="IMPORT")
@click.option("--first", type=click.IntRange(1, 100), default=20, show_default=True)
@json_option
@folder_option
def groups(wanted: str, first: int, folder: DataFolder, *, as_json: bool) -> None:
    """Show what is wrong with the failed rows of IMPORT, an ID or a name: the most frequent first.

    `caseroll retry` mends the rows of a group at once.
    """
    found = asyncio.run(_read_groups(wanted, first, folder))
    if as_json:
        print_json(found)
        return
    shown = [edge["node"] for edge in found["edges"]]
    print_table(
        ["count", "code", "column", "value", "what is wrong", "rows"],
        [
            [each[name] for name in ("count", "code", "column", "value", "message")]
            + [_shortened(each["rows"])]
            for each in shown
        ],
    )
    if not is_for_people():
        return
    if not found["isComplete"]:
        click.echo("These are not all: the import is running, or has very many errors.")
    elif more := found["totalCount"] - len(shown):
        click.echo(f"… and {more:,} more; --first 100 shows more of them.")


@click.command()
@click.argument("wanted", metavar="IMPORT")
@click.option("--column", help="Only rows with an error at this column; '' for whole rows.")
@click.option("--code", help="Only rows with an error of this code, such as NOT_FOUND.")
@click.option("--value", help="Only rows with an error at a cell of this value.")
@click.option("--except", "excepted", multiple=True, metavar="CODE", help="Not these rows.")
@click.option("--set", "cells", multiple=True, metavar="COLUMN=VALUE", help="A new cell for them.")
@watch_option
@json_option
@folder_option
def retry(
    wanted: str,
    folder: DataFolder,
    *,
    column: str | None,
    code: str | None,
    value: str | None,
    excepted: Sequence[str],
    cells: Sequence[str],
    watched: bool,
    as_json: bool,
) -> int:
    """Run failed rows of IMPORT, an ID or a name, again: all of them, or those with an error.

    With --set, they get new cells first: --column user_id --value jones-1 --set user_id=jones-001.
    The exit codes are those of `caseroll import`.
    """
    given = {"column": column, "code": code, "value": value}
    where = {name: text or None for name, text in given.items() if text is not None}
    if cells and not where:
        raise RefusedError("--set needs --column, --code or --value, which say for which rows.")
    variables: dict[str, Any] = {"where": where or None}
    if excepted:
        variables["except"] = [{"code": code} for code in excepted]
    if cells:
        variables["set"] = [_cell(each) for each in cells]
    mutation = ImportMutation(document=_RETRY, folder=folder, is_watched=watched, as_json=as_json)
    return asyncio.run(_retry(wanted, variables, mutation))


async def _read_groups(wanted: str, first: int, folder: DataFolder) -> dict[str, Any]:
    found = await find_import(find_api(folder), wanted, _GROUPS % first)
    groups: dict[str, Any] = found["errorGroups"]
    return groups


async def _retry(wanted: str, variables: dict[str, Any], mutation: ImportMutation) -> int:
    api = find_api(mutation.folder)
    return await mutation.run(api, id=await find_only_import(api, wanted), **variables)


def _cell(text: str) -> dict[str, str]:
    column, sign, value = text.partition("=")
    if not (sign and column.strip()):
        raise RefusedError(f"--set takes COLUMN=VALUE, not {text!r}.")
    return {"column": column, "value": value}


def _shortened(rows: Sequence[str]) -> str:
    """Return the first ranges of a group; five fit into a table."""
    return ", ".join(rows[:5]) + (", …" if len(rows) > 5 else "")
