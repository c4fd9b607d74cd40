"""`caseroll import` and `caseroll imports`: upload a file, follow its import, list imports."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
from gql import FileVar

from api.cli.client import find_api
from api.cli.folder import DataFolder, folder_option
from api.cli.header_hints import HeaderHints
from api.cli.import_mutation import ImportMutation, watch_option
from api.cli.import_summary import IMPORT_FIELDS, RELATED_FIELDS, remarks
from api.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from api.cli.import_summary import ImportJson

_CREATE = """
mutation ($input: CreateImportInput!) {
  createImport(input: $input) {
    import { ...Fields } userErrors { code message field } warnings { code message }
  }
}
"""
_LIST = """
query ($first: Int!) { imports(first: $first) { edges { node { ...Fields ...Related } } } }
"""


class _Mapped(click.ParamType[dict[str, str]]):
    """A name in a file's header, and the column that it stands for."""

    name = "HEADER=COLUMN"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> dict[str, str]:
        """Return the fields of a `ColumnMappingInput`; a header may have a `=` of its own."""
        header, sign, column = str(value).rpartition("=")
        if not (sign and header.strip() and column.strip()):
            self.fail(f"{value!r} does not say which column a header is: 'E-Mail=username'.")
        return {"header": header, "column": column}


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--type", "type_", required=True, help="What the rows mean: assign, modify, …")
@click.option("--name", required=True, help="A name to find the import by.")
@watch_option
@click.option("--plan", "--dry-run", "is_plan", is_flag=True, help="Only say what would happen.")
@click.option("--atomic", is_flag=True, help="Apply all rows, or none if one fails.")
@click.option("--release", is_flag=True, help="If it is held, release it with the same token.")
@click.option("--encoding", help="Of a file that is neither UTF-8 nor UTF-16: windows-1252, …")
@click.option(
    "--date-order",
    type=click.Choice(["MDY", "DMY"], case_sensitive=False),
    help="What comes first in dates: the month, or the day.",
)
@click.option("--map", "mapped", multiple=True, type=_Mapped(), help="What a header stands for.")
@click.option("--ignore", "ignored", multiple=True, metavar="HEADER", help="Pass a column over.")
@click.option("--notify", multiple=True, metavar="ADDRESS", help="Mail this address at the end.")
@click.option("--idempotency-key", metavar="KEY", help="Run again with it, it is the same import.")
@json_option
@folder_option
def import_(
    file: str,
    folder: DataFolder,
    *,
    type_: str,
    name: str,
    watched: bool,
    is_plan: bool,
    atomic: bool,
    release: bool,
    encoding: str | None,
    date_order: str | None,
    mapped: tuple[dict[str, str], ...],
    ignored: tuple[str, ...],
    notify: tuple[str, ...],
    idempotency_key: str | None,
    as_json: bool,
) -> int:
    """Upload FILE and apply it.

    It ends with 0 if all rows passed, 1 if some failed, 2 if it was refused, 3 if it is held.
    With an idempotency key that an import has already, it tells of that import in the same way.
    """
    if release and not watched:
        raise click.UsageError("--release waits for the import, so it can't go with --no-watch.")
    fields = {"name": name, "type": type_, "dryRun": is_plan, "atomic": atomic}
    fields |= {"file": FileVar(file), "source": "cli", "encoding": encoding}
    fields |= {"dateOrder": date_order, "notify": list(notify) or None}
    fields |= {"columns": list(mapped) or None, "ignoreColumns": list(ignored) or None}
    fields |= {"idempotencyKey": idempotency_key}
    mutation = ImportMutation(
        document=_CREATE,
        folder=folder,
        is_watched=watched,
        as_json=as_json,
        is_released=release,
        hints=HeaderHints(file=Path(file), fields=fields),
    )
    return asyncio.run(mutation.run(find_api(folder), input=fields))


@click.command()
@click.option("--last", type=click.IntRange(1, 100), default=20, show_default=True)
@json_option
@folder_option
def imports(last: int, folder: DataFolder, *, as_json: bool) -> None:
    """List the newest imports."""
    document = _LIST + IMPORT_FIELDS + RELATED_FIELDS
    data = asyncio.run(find_api(folder).execute(document, first=last))
    found = [edge["node"] for edge in data["imports"]["edges"]]
    if as_json:
        print_json(found)
        return
    columns = ["id", "name", "type", "status", "total", "passed", "failed", "created (UTC)"]
    print_table([*columns, "remarks"], map(_as_line, found))


def _as_line(state: ImportJson) -> list[object]:
    shown = [state[each] for each in ("status", "total", "passed", "failed")]
    created = state["createdAt"][:16].replace("T", " ")
    return [state["id"], state["name"], state["type"]["key"], *shown, created, remarks(state)]
