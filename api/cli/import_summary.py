"""What the command line says of an import: its counts, what is wrong, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import click

from api.cli.output import print_table
from api.cli.printable import printable
from api.processes.exit_code import EXIT_HELD, EXIT_REFUSED, EXIT_SOME_FAILED

if TYPE_CHECKING:
    from api.cli.client import ApiClient
    from api.cli.folder import DataFolder

ImportJson: TypeAlias = dict[str, Any]
"""An import as the API shows it."""

_SHOWN_ROWS = 10
# Of rows that passed, warnings are looked for among the first.
_LOOKED_AT = 100
_COUNTS = ("passed", "failed", "cancelled", "created", "updated", "removed", "unchanged")
# What a plan counts has not been done.
_TO_DO = {"created": "to create", "updated": "to update", "removed": "to remove"}
# The API's field → the option that sets it; a message about the file itself names the file.
_OPTIONS = {
    **{each: f"--{each}: " for each in ("name", "type", "encoding", "notify")},
    "idempotencyKey": "--idempotency-key: ",
}

IMPORT_FIELDS = """
fragment Fields on Import {
  id name status dryRun total passed failed cancelled created updated removed unchanged
  createdAt type { key } errors { code message column } warnings { code message column }
  hold { code message since }
}
"""
RELATED_FIELDS = """
fragment Related on Import {
  appliedFrom { id name } appliedAs { id name } undoOf { id name } undoneBy { id name }
}
"""
_SUMMARY = """
query ($id: ID!, $first: Int!, $lookedAt: Int!) {
  import(id: $id) {
    ...Fields ...Related atomic
    rows(first: $first, status: [FAILED]) {
      edges { node { number errors { code message column value suggestion } } }
    }
    passedRows: rows(first: $lookedAt, status: [PASSED]) {
      edges { node { number warnings { code message column value suggestion } } }
    }
    errorGroups(first: $first) { edges { node { code column message firstRow } } }
  }
}
"""


async def read_summary(api: ApiClient, import_id: str) -> ImportJson:
    """Read an import with its first failed rows, and the first that passed."""
    counts = {"first": _SHOWN_ROWS, "lookedAt": _LOOKED_AT}
    data = await api.execute(_SUMMARY + IMPORT_FIELDS + RELATED_FIELDS, id=import_id, **counts)
    found: ImportJson = data["import"]
    return found


def import_exit_code(state: ImportJson) -> int:
    """Return 0 if no row has failed so far, 1 if some have, 2 for a refused file, 3 if held."""
    if state["errors"]:
        return EXIT_REFUSED
    if state["status"] == "HELD":
        return EXIT_HELD
    return EXIT_SOME_FAILED if state["failed"] or state["status"] == "CANCELLED" else 0


def print_summary(state: ImportJson, folder: DataFolder) -> None:
    """Print what became of an import.

    Args:
        state: from `read_summary`.
    """
    print_warnings(state["warnings"])
    if state["errors"]:
        print_errors(state["errors"])
        return
    click.echo(_headline(state))
    if state["hold"]:
        click.echo(f"Why: {printable(state['hold']['message'])}")
    _print_rows(state["passedRows"], "warnings", "what to look at")
    _print_rows(_failed_rows(state), "errors", "what is wrong")
    _print_next(state, folder)


def remarks(state: ImportJson) -> str:
    """Say in a few words what is special about an import, from its `Related` fields."""
    related = {
        "applies the plan": state["appliedFrom"],
        "applied as": state["appliedAs"],
        "undoes": state["undoOf"],
        "undone by": state["undoneBy"],
    }
    said = ["plan"] if state["dryRun"] else []
    said += [state["hold"]["message"]] if state["hold"] else []
    return ", ".join(said + [f"{how} {other['name']}" for how, other in related.items() if other])


def print_errors(errors: list[dict[str, Any]]) -> None:
    for error in errors:
        option = _OPTIONS.get((error.get("field") or [""])[-1], "")
        click.echo(f"Error: {option}{printable(error['message'])}", err=True)


def print_warnings(warnings: list[dict[str, Any]]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {printable(warning['message'])}", err=True)


def _headline(state: ImportJson) -> str:
    """Return the counts: `Planned: May, 3 rows: 2 passed, 1 failed, 2 to remove.`"""
    is_plan = _is_plan(state)
    status = "Planned" if is_plan else str(state["status"]).capitalize()
    words = _TO_DO if state["dryRun"] else {}
    counts = ", ".join(f"{state[each]} {words.get(each, each)}" for each in _COUNTS if state[each])
    total = "1 row" if state["total"] == 1 else f"{state['total'] or 0} rows"
    # Rows that a retry has left alone are applied already: the counts are those of both.
    once = ", once it is released" if state["status"] == "HELD" else ""
    return f"{status}: {printable(state['name'])}, {total}{once}: {counts or 'none'}."


def _is_plan(state: ImportJson) -> bool:
    """Tell whether an import is a plan of which some rows have passed."""
    return bool(state["dryRun"] and state["status"] == "PROCESSED" and state["passed"])


def _failed_rows(state: ImportJson) -> dict[str, Any]:
    """Return the first failed rows; of all or nothing, the first of each kind that is at fault."""
    if not state["atomic"]:
        rows: dict[str, Any] = state["rows"]
        return rows
    groups = [edge["node"] for edge in state["errorGroups"]["edges"]]
    return {
        "edges": [
            {"node": {"number": each["firstRow"], "errors": [each]}}
            for each in groups
            if each["code"] != "NOT_APPLIED"
        ]
    }


def _print_rows(found: dict[str, Any], kind: str, title: str) -> None:
    """Print the errors or the warnings of rows, if they have any."""
    rows = [
        [row["number"], detail["column"], detail["message"]]
        for row in (edge["node"] for edge in found["edges"])
        for detail in row[kind]
    ]
    if rows:
        print_table(["row", "column", title], rows)


def _print_next(state: ImportJson, folder: DataFolder) -> None:
    """Print the commands that go on from here."""
    arguments = f"{state['id']}{folder.option}"
    is_held, is_plan = state["status"] == "HELD", _is_plan(state)
    more = state["failed"] - len(_failed_rows(state)["edges"])
    if more > 0:
        click.echo(f"… and {more} more failed rows.")
        click.echo(f"What they have in common: caseroll groups {arguments}")
    if state["failed"] and not is_held:
        command = f"caseroll failed-rows {state['id']} -o failed.csv{folder.option}"
        click.echo(f"All of them, to correct: {command}")
    if is_held or is_plan:
        click.echo(f"What it would change: caseroll changes {arguments}")
    if is_plan and not (state["atomic"] and state["failed"]):
        click.echo(f"Apply just what passed: caseroll apply {arguments}")
    if is_held:
        needs_other = state["hold"]["code"] == "RELEASE_REQUIRED"
        token = ", with the other token in CASEROLL_TOKEN" if needs_other else ""
        click.echo(f"Let it go on{token}: caseroll release {arguments}")
        click.echo(f"Or end it: caseroll cancel {arguments}")
