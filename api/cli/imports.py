"""`caseroll import` and `caseroll imports`: upload a file, follow its import, list imports."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from gql import FileVar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.client import ApiClient, ApiLostError, find_api
from api.cli.folder import DataFolder, folder_option
from api.cli.output import json_option, print_json, print_table, say
from api.cli.printable import printable
from api.processes.exit_code import EXIT_REFUSED, EXIT_SOME_FAILED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Import = dict[str, Any]

_FINISHED = ("PROCESSED", "FAILED", "CANCELLED")
_SHOWN_ROWS = 10
# With the growing pauses about half a minute: longer than the API takes to start again.
_MOST_TRIES = 10
_COUNTS = ("passed", "failed", "cancelled", "created", "updated", "removed", "unchanged")

# The API's field → the option that sets it; a message about the file itself names the file.
_OPTIONS = {each: f"--{each}: " for each in ("name", "type", "encoding", "notify")}
# Of rows that passed, warnings are looked for among the first.
_LOOKED_AT = 100

_FIELDS = """
fragment Fields on Import {
  id name status total passed failed cancelled created updated removed unchanged
  createdAt type { key } errors { code message column } warnings { code message column }
}
"""
_CREATE = """
mutation ($input: CreateImportInput!) {
  createImport(input: $input) {
    import { ...Fields } userErrors { code message field } warnings { code message }
  }
}
"""
_FOLLOW = "subscription ($id: ID!) { importUpdated(id: $id) { ...Fields } }"
_FAILED_ROWS = """
query ($id: ID!, $first: Int!, $lookedAt: Int!) {
  import(id: $id) {
    ...Fields
    rows(first: $first, status: [FAILED]) {
      edges { node { number errors { code message column value suggestion } } }
    }
    passedRows: rows(first: $lookedAt, status: [PASSED]) {
      edges { node { number warnings { code message column value suggestion } } }
    }
  }
}
"""
_LIST = """
query ($first: Int!) { imports(first: $first) { edges { node { ...Fields } } } }
"""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--type", "type_", required=True, help="What the rows mean: assign, modify, …")
@click.option("--name", required=True, help="A name to find the import by.")
@click.option("--watch/--no-watch", default=True, help="Follow it to its end.  [default: watch]")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--encoding", help="Of a file that is neither UTF-8 nor UTF-16: windows-1252, …")
@click.option(
    "--date-order",
    type=click.Choice(["MDY", "DMY"], case_sensitive=False),
    help="What comes first in dates: the month, or the day.",
)
@click.option("--notify", multiple=True, metavar="ADDRESS", help="Mail this address at the end.")
@json_option
@folder_option
def import_(
    file: str,
    folder: DataFolder,
    *,
    type_: str,
    name: str,
    watch: bool,
    dry_run: bool,
    encoding: str | None,
    date_order: str | None,
    notify: tuple[str, ...],
    as_json: bool,
) -> int:
    """Upload FILE and apply it; ends with 0 if all rows passed, 1 if some failed, 2 if refused."""
    fields = {"name": name, "type": type_, "dryRun": dry_run, "encoding": encoding}
    fields |= {"file": FileVar(file), "source": "cli", "dateOrder": date_order}
    if notify:
        fields["notify"] = list(notify)
    return asyncio.run(_import(folder, fields, watch=watch, as_json=as_json))


@click.command()
@click.option("--last", type=click.IntRange(1, 100), default=20, show_default=True)
@json_option
@folder_option
def imports(last: int, folder: DataFolder, *, as_json: bool) -> None:
    """List the newest imports."""
    data = asyncio.run(find_api(folder).execute(_LIST + _FIELDS, first=last))
    found = [edge["node"] for edge in data["imports"]["edges"]]
    if as_json:
        print_json(found)
        return
    counts = ["total", "passed", "failed"]
    print_table(
        ["id", "name", "type", "status", *counts, "created (UTC)"],
        [
            [each["id"], each["name"], each["type"]["key"], each["status"]]
            + [each[count] for count in counts]
            + [each["createdAt"][:16].replace("T", " ")]
            for each in found
        ],
    )


async def _import(
    folder: DataFolder, fields: dict[str, object], *, watch: bool, as_json: bool
) -> int:
    api = find_api(folder)
    payload = (await api.execute(_CREATE + _FIELDS, input=fields))["createImport"]
    if payload["userErrors"]:
        if as_json:
            print_json(payload)
        print_errors(payload["userErrors"])
        return EXIT_REFUSED
    created: Import = payload["import"]
    _print_warnings(payload["warnings"])
    if watch:
        return await show_end(api, created["id"], folder, as_json=as_json)
    if as_json:
        print_json(created)
    else:
        click.echo(created["id"])
    return exit_code(created)


async def show_end(api: ApiClient, import_id: str, folder: DataFolder, *, as_json: bool) -> int:
    """Follow an import to its end, and say what came of it; return the exit code."""
    await _watch(api, import_id)
    counts = {"first": _SHOWN_ROWS, "lookedAt": _LOOKED_AT}
    data = await api.execute(_FAILED_ROWS + _FIELDS, id=import_id, **counts)
    state: Import = data["import"]
    if as_json:
        print_json(state)
    else:
        _summarise(state, folder)
    return exit_code(state)


async def _watch(api: ApiClient, import_id: str) -> None:
    """Follow an import to its end; Ctrl-C stops watching, not the import."""
    try:
        with _progress() as show:
            async for state in follow(api, import_id):
                show(state)
    # `asyncio.run` makes this of Ctrl-C.
    except asyncio.CancelledError:
        say("The import goes on; `caseroll imports` shows how far it is.")
        raise


async def follow(api: ApiClient, import_id: str) -> AsyncIterator[Import]:
    """Yield an import's states until it ends; reconnect when the connection breaks."""
    failures = 0
    while True:
        try:
            async for data in api.subscribe(_FOLLOW + _FIELDS, id=import_id):
                failures = 0
                yield data["importUpdated"]
                if data["importUpdated"]["status"] in _FINISHED:
                    return
        # Events that are lost meanwhile do no harm: a subscription begins with the present state.
        except ApiLostError:
            if failures == _MOST_TRIES:
                raise
        failures += 1
        await asyncio.sleep(min(0.1 * 2**failures, 5.0))


def exit_code(state: Import) -> int:
    """Return 0 when nothing failed so far, 1 when rows failed, 2 when the file was refused."""
    if state["errors"]:
        return EXIT_REFUSED
    return EXIT_SOME_FAILED if state["failed"] or state["status"] == "CANCELLED" else 0


@contextmanager
def _progress() -> Iterator[Callable[[Import], None]]:
    """Show a progress bar if stderr is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _state: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        row = bar.add_task("Queued", total=None)

        def show(state: Import) -> None:
            done = state["passed"] + state["failed"] + state["cancelled"]
            description = str(state["status"]).capitalize()
            bar.update(row, total=state["total"], completed=done, description=description)

        yield show


def print_errors(errors: list[dict[str, Any]]) -> None:
    for error in errors:
        option = _OPTIONS.get((error.get("field") or [""])[-1], "")
        click.echo(f"Error: {option}{printable(error['message'])}", err=True)


def _print_warnings(warnings: list[dict[str, Any]]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {printable(warning['message'])}", err=True)


def _summarise(state: Import, folder: DataFolder) -> None:
    _print_warnings(state["warnings"])
    if state["errors"]:
        print_errors(state["errors"])
        return
    counts = ", ".join(f"{state[count]} {count}" for count in _COUNTS if state[count])
    status = str(state["status"]).capitalize()
    total = "1 row" if state["total"] == 1 else f"{state['total'] or 0} rows"
    click.echo(f"{status}: {printable(state['name'])}, {total}: {counts or 'none'}.")
    _print_rows(state["passedRows"], "warnings", "what to look at")
    _print_rows(state["rows"], "errors", "what is wrong")
    if not state["failed"]:
        return
    shown = len(state["rows"]["edges"])
    if state["failed"] > shown:
        click.echo(f"… and {state['failed'] - shown} more failed rows.")
    if state["failed"] > shown:
        click.echo(f"What they have in common: caseroll groups {state['id']}{folder.option}")
    command = f"caseroll failed-rows {state['id']} -o failed.csv{folder.option}"
    click.echo(f"All of them, to correct: {command}")


def _print_rows(found: dict[str, Any], kind: str, title: str) -> None:
    """Print the errors or the warnings of rows, if they have any."""
    rows = [
        [row["number"], detail["column"], detail["message"]]
        for row in (edge["node"] for edge in found["edges"])
        for detail in row[kind]
    ]
    if rows:
        print_table(["row", "column", title], rows)
