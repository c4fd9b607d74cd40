"""What the arguments of commands name: imports by name or ID, cases and users by Tag ID or ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.cli.failure import RefusedError

if TYPE_CHECKING:
    from api.cli.client import ApiClient


_BY_NAME = """
query ($name: String!) { imports(first: 100, search: $name) { edges { node { id name } } } }
"""


async def find_import(api: ApiClient, wanted: str, fields: str) -> dict[str, Any]:
    """Return the newest import of a name, or else the one with that ID.

    Args:
        fields: what to select of it, in GraphQL.

    Raises:
        RefusedError: there is none.
    """
    data = await api.execute(_BY_NAME, name=wanted)
    nodes = [edge["node"] for edge in data["imports"]["edges"]]
    key = next((node["id"] for node in nodes if node["name"] == wanted), wanted)
    by_id = f"query ($id: ID!) {{ import(id: $id) {{ name {fields} }} }}"
    found: dict[str, Any] | None = (await api.execute(by_id, id=key))["import"]
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
