"""`caseroll history`: what was changed, when, by which row of which import, and by whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from api.cli.client import find_api
from api.cli.folder import DataFolder, folder_option
from api.cli.named import find_id, find_import
from api.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.cli.client import ApiClient

    Change = dict[str, Any]

_BY = "changedAt actor { name } origin { row import { id name } }"
_CHANGES = f"""
query ($first: Int!, $case: ID, $user: ID, $import: ID) {{
  assignmentChanges(first: $first, case: $case, user: $user, import: $import) {{
    edges {{ node {{
      __typename id {_BY} case {{ id tagId }} user {{ id tagId email }}
      before {{ role {{ key }} notify }} after {{ role {{ key }} notify }}
    }} }}
  }}
}}
"""
_OWN_CHANGES = f"""
query ($first: Int!, $id: ID!) {{
  node(id: $id) {{
    ... on Case {{ history(first: $first) {{ edges {{ node {{ ...Own }} }} }} }}
    ... on User {{ history(first: $first) {{ edges {{ node {{ ...Own }} }} }} }}
  }}
}}
fragment Own on EntityChange {{
  __typename id {_BY} case {{ id tagId }} user {{ id tagId email }}
  record fields {{ name before after }}
}}
"""


@click.command()
@click.option("--case", metavar="CASE", help="Of one case: its Tag ID or ID.")
@click.option("--user", metavar="USER", help="Of one user: the Tag ID, e-mail address or ID.")
@click.option("--import", "import_", metavar="IMPORT", help="Of one import: its name or ID.")
@click.option("--last", type=click.IntRange(1, 100), default=20, show_default=True)
@json_option
@folder_option
def history(
    folder: DataFolder,
    *,
    case: str | None,
    user: str | None,
    import_: str | None,
    last: int,
    as_json: bool,
) -> None:
    """List the newest changes: of who is on which case, and of the case or user that is named."""
    wanted = {"case": case, "user": user, "import": import_}
    given = {kind: name for kind, name in wanted.items() if name is not None}
    changes = asyncio.run(_read_changes(find_api(folder), given, last))
    if as_json:
        print_json(changes)
        return
    print_table(
        ["changed (UTC)", "case", "user", "what", "import", "row", "by"], map(_as_line, changes)
    )


async def _read_changes(api: ApiClient, given: Mapping[str, str], last: int) -> list[Change]:
    ids = {
        kind: (await find_import(api, name, "id"))["id"]
        if kind == "import"
        else await find_id(api, kind, name)
        for kind, name in given.items()
    }
    data = await api.execute(_CHANGES, first=last, **ids)
    changes = _nodes(data["assignmentChanges"])
    # An import's changes of cases and users are in its results.
    if len(ids) == 1 and "import" not in ids:
        [node_id] = ids.values()
        data = await api.execute(_OWN_CHANGES, first=last, id=node_id)
        changes += _nodes(data["node"]["history"])
    return sorted(changes, key=lambda change: str(change["changedAt"]), reverse=True)[:last]


def _nodes(connection: Mapping[str, Any]) -> list[Change]:
    return [edge["node"] for edge in connection["edges"]]


def _as_line(change: Change) -> Sequence[object]:
    case, user, origin = (change[name] or {} for name in ("case", "user", "origin"))
    return [
        change["changedAt"][:19].replace("T", " "),
        case.get("tagId") or case.get("id"),
        user.get("tagId") or user.get("email"),
        _what(change),
        origin["import"]["name"] if origin else None,
        origin.get("row"),
        change["actor"]["name"],
    ]


def _what(change: Change) -> str:
    """Say what was changed: `staff → clients`, `put on the case as staff`, `about: x → y`."""
    if change["__typename"] == "EntityChange":
        of_record = f"{change['record']}: " if change["record"] else ""
        return of_record + ", ".join(map(_field, change["fields"]))
    before, after = (_state(change[side]) for side in ("before", "after"))
    if before is None:
        return f"put on the case as {after}"
    return f"{before} → {after}" if after else f"removed, was {before}"


def _state(state: Change | None) -> str | None:
    if state is None:
        return None
    return str(state["role"]["key"]) + (" with mail" if state["notify"] else "")


def _field(field: Change) -> str:
    """Say how a field was changed; one that tells a plugin's record from others was not."""
    before, after = (_or_nothing(field[side]) for side in ("before", "after"))
    return f"{field['name']} {after}" if before == after else f"{field['name']}: {before} → {after}"


def _or_nothing(value: str | None) -> str:
    return "nothing" if value is None else value
