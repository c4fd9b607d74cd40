"""`caseroll apply`, `undo`, `release` and `cancel`: what can be done about an import."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from api.cli.client import find_api
from api.cli.folder import DataFolder, folder_option
from api.cli.import_mutation import RELEASE, ImportMutation, watch_option
from api.cli.named import find_only_import
from api.cli.output import json_option
from api.processes.exit_code import EXIT_SOME_FAILED

if TYPE_CHECKING:
    from api.cli.import_summary import ImportJson

_APPLY = """
mutation ($id: ID!, $name: String) {
  applyImport(id: $id, name: $name) { import { ...Fields } userErrors { code message field } }
}
"""
_UNDO = """
mutation ($id: ID!, $name: String, $dryRun: Boolean!) {
  undoImport(id: $id, name: $name, dryRun: $dryRun) {
    import { ...Fields } userErrors { code message field }
  }
}
"""
_CANCEL = """
mutation ($id: ID!) {
  cancelImport(id: $id) { import { ...Fields } userErrors { code message field } }
}
"""

_import_argument = click.argument("import_", metavar="IMPORT")


@click.command()
@_import_argument
@click.option("--name", help="A name for the new import.  [default: that of the plan]")
@watch_option
@json_option
@folder_option
def apply(
    import_: str, name: str | None, folder: DataFolder, *, watched: bool, as_json: bool
) -> int:
    """Carry out the plan of this name or ID: just the rows that passed, as it said.

    Rows whose data has changed since fail. The exit codes are those of `caseroll import`.
    """
    mutation = ImportMutation(document=_APPLY, folder=folder, is_watched=watched, as_json=as_json)
    return asyncio.run(_run(mutation, import_, name=name))


@click.command()
@_import_argument
@click.option("--plan", "--dry-run", "is_plan", is_flag=True, help="Only say what would happen.")
@click.option("--name", help="A name for the new import.  [default: the old name, (undone)]")
@watch_option
@json_option
@folder_option
def undo(
    import_: str,
    name: str | None,
    folder: DataFolder,
    *,
    is_plan: bool,
    watched: bool,
    as_json: bool,
) -> int:
    """Take back what the import of this name or ID has changed.

    What others have changed since stays. The exit codes are those of `caseroll import`.
    """
    mutation = ImportMutation(document=_UNDO, folder=folder, is_watched=watched, as_json=as_json)
    return asyncio.run(_run(mutation, import_, name=name, dryRun=is_plan))


@click.command()
@_import_argument
@watch_option
@json_option
@folder_option
def release(import_: str, folder: DataFolder, *, watched: bool, as_json: bool) -> int:
    """Let the import of this name or ID, which is held, go on.

    An import that must be released by another token than its own needs that one in CASEROLL_TOKEN.
    The exit codes are those of `caseroll import`.
    """
    mutation = ImportMutation(document=RELEASE, folder=folder, is_watched=watched, as_json=as_json)
    return asyncio.run(_run(mutation, import_))


@click.command()
@_import_argument
@watch_option
@json_option
@folder_option
def cancel(import_: str, folder: DataFolder, *, watched: bool, as_json: bool) -> int:
    """Stop the import of this name or ID; rows that are applied already stay applied.

    It ends with 0 if the import is cancelled, 1 if its last rows were run before, 2 if refused.
    """
    mutation = ImportMutation(
        document=_CANCEL,
        folder=folder,
        is_watched=watched,
        as_json=as_json,
        exit_code=_cancel_exit_code,
    )
    return asyncio.run(_run(mutation, import_))


async def _run(mutation: ImportMutation, import_: str, **variables: object) -> int:
    api = find_api(mutation.folder)
    return await mutation.run(api, id=await find_only_import(api, import_), **variables)


def _cancel_exit_code(state: ImportJson) -> int:
    return EXIT_SOME_FAILED if state["status"] in ("PROCESSED", "FAILED") else 0
