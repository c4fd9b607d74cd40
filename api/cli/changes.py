"""`caseroll changes`: what an import has changed, or a dry run would change, and what follows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.folder import DataFolder, folder_option
from api.cli.named import find_id, find_import
from api.cli.output import json_option, print_json, print_table
from api.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.cli.client import ApiClient

_PAGE = 100
_FIELDS = """
  id status dryRun consequences { code message count cases { id tagId } users { id tagId email } }
"""
_CHANGES = """
query (
  $id: ID!, $first: Int!, $after: String, $kind: [ChangeKind!], $case: ID, $user: ID
) {
  import(id: $id) {
    changes(first: $first, after: $after, kind: $kind, case: $case, user: $user) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { node { row kind isStale case { id tagId about } user { id tagId email }
        fields { name before after } } }
    }
  }
}
"""
_KINDS = ("CREATE", "UPDATE", "REMOVE")


@click.command()
@click.argument("wanted", metavar="IMPORT")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS, case_sensitive=False),
    help="Only changes of this kind; repeatable.",
)
@click.option("--case", help="Only changes of the case with this Tag ID or ID.")
@click.option("--user", help="Only changes of the user with this Tag ID or ID.")
@click.option("--first", type=click.IntRange(1), default=_PAGE, show_default=True, help="At most.")
@json_option
@folder_option
def changes(
    wanted: str,
    folder: DataFolder,
    *,
    kinds: Sequence[str],
    case: str | None,
    user: str | None,
    first: int,
    as_json: bool,
) -> None:
    """List what IMPORT, an ID or a name, has changed, or would change if it is a dry run."""
    found = asyncio.run(
        _find(find_api(folder), wanted, kinds=kinds, case=case, user=user, first=first)
    )
    if as_json:
        print_json(found)
    else:
        _print(found)


async def _find(
    api: ApiClient,
    wanted: str,
    *,
    kinds: Sequence[str],
    case: str | None,
    user: str | None,
    first: int,
) -> dict[str, Any]:
    """Return the import with its consequences and its first changes."""
    found = await find_import(api, wanted, _FIELDS)
    named = {"case": case, "user": user}
    ids = {kind: await find_id(api, kind, name) for kind, name in named.items() if name is not None}
    listed: list[dict[str, Any]] = []
    after, page = None, {"hasNextPage": True}
    while page["hasNextPage"] and len(listed) < first:
        size = min(_PAGE, first - len(listed))
        variables = {"first": size, "after": after, "kind": list(kinds) or None, **ids}
        data = (await api.execute(_CHANGES, id=found["id"], **variables))["import"]["changes"]
        listed += [edge["node"] for edge in data["edges"]]
        page = data["pageInfo"]
        after, total = page["endCursor"], data["totalCount"]
    return {**found, "totalCount": total, "changes": listed}


def _print(found: Mapping[str, Any]) -> None:
    for each in found["consequences"]:
        names = ", ".join(map(_name_of, each["cases"] + each["users"]))
        more = "" if each["count"] <= max(len(each["cases"]), len(each["users"])) else ", …"
        click.echo(printable(each["message"] + (f" ({names}{more})" if names else "")))
    print_table(
        ["row", "kind", "case", "user", "change"],
        [
            [
                each["row"],
                each["kind"],
                each["case"] and _name_of(each["case"]),
                each["user"] and _name_of(each["user"]),
                _sum_up(each),
            ]
            for each in found["changes"]
        ],
    )
    left = found["totalCount"] - len(found["changes"])
    if left:
        click.echo(f"… and {left} more; --first {found['totalCount']} lists them all.")


def _name_of(entity: Mapping[str, Any]) -> str:
    return str(entity["tagId"] or entity.get("email") or entity["id"])


def _sum_up(change: Mapping[str, Any]) -> str:
    """Write a change in a line: `staff → clients; case_notify: 0 → 1`."""
    parts = []
    for field in change["fields"]:
        name = "" if field["name"] == "case_role_id" else f"{field['name']}: "
        before, after = (_side(field[side]) for side in ("before", "after"))
        # What tells a plugin's own record from others has equal sides.
        if change["kind"] == "CREATE" or before == after:
            parts.append(f"{name}{after}")
        elif change["kind"] == "REMOVE":
            parts.append(f"{name}{before}")
        else:
            parts.append(f"{name}{before} → {after}")
    if change["isStale"]:
        parts.append("(changed since)")
    return "; ".join(parts)


def _side(value: str | None) -> str:
    return "-" if value is None else value or "(empty)"
