"""What the arguments of commands name: imports by name or ID, cases and users by Tag ID or ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.cli.failure import RefusedError

if TYPE_CHECKING:
    from api.cli.client import ApiClient


async def find_import(api: ApiClient, wanted: str, fields: str) -> dict[str, Any]:
    """Return the newest import of a name, or else the one with that ID.

    Args:
        fields: what to select of it, in GraphQL.

    Raises:
        RefusedError: there is none.
    """
    by_name = f"""
        query ($name: String!) {{
          imports(first: 100, search: $name) {{ edges {{ node {{ name {fields} }} }} }}
        }}
    """
    data = await api.execute(by_name, name=wanted)
    named = [edge["node"] for edge in data["imports"]["edges"] if edge["node"]["name"] == wanted]
    if named:
        found: dict[str, Any] | None = named[0]
    else:
        by_id = f"query ($id: ID!) {{ import(id: $id) {{ name {fields} }} }}"
        found = (await api.execute(by_id, id=wanted))["import"]
    if found is None:
        raise RefusedError(f"there is no import with the ID or name {wanted!r}.")
    return found


async def find_id(api: ApiClient, kind: str, wanted: str) -> str:
    """Return the ID of the case or the user with a Tag ID or an ID.

    Args:
        kind: `case` or `user`.

    Raises:
        RefusedError: there is none.
    """
    by = {"case": "CaseBy", "user": "UserBy"}[kind]
    query = f"""
        query ($tag: {by}!, $id: {by}!) {{
          tag: {kind}(by: $tag) {{ id }}
          {kind}(by: $id) {{ id }}
        }}
    """
    data = await api.execute(query, tag={"tagId": wanted}, id={"id": wanted})
    found = data["tag"] or data[kind]
    if found is None:
        raise RefusedError(f"there is no {kind} with the Tag ID or ID {wanted!r}.")
    return str(found["id"])
