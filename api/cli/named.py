"""What the arguments of commands name: imports by name, cases and users by Tag ID, all by ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.cli.failure import RefusedError

if TYPE_CHECKING:
    from api.cli.client import ApiClient


_BY_NAME = """
query ($name: String!) {
  imports(first: 100, search: $name) { edges { node { id name createdAt } } }
}
"""
# By kind: the API's type, the ways to name one in the order in which they are tried, and what
# people call these.
_WAYS = {
    "case": ("CaseBy", ("tagId", "id"), "Tag ID or ID"),
    "user": ("UserBy", ("tagId", "email", "id"), "Tag ID, e-mail address or ID"),
}


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


async def find_only_import(api: ApiClient, wanted: str) -> str:
    """Return the ID of the one import of a name, or else what is wanted, taken for an ID.

    Raises:
        RefusedError: several have the name, and what is done to one can't be meant for another.
    """
    data = await api.execute(_BY_NAME, name=wanted)
    nodes = [edge["node"] for edge in data["imports"]["edges"]]
    named = [node for node in nodes if node["name"] == wanted]
    if len(named) > 1:
        which = ", ".join(f"{node['id']} of {node['createdAt'][:16]} UTC" for node in named)
        raise RefusedError(f"{len(named)} imports have the name {wanted!r}; give an ID: {which}.")
    return str(named[0]["id"]) if named else wanted


async def find_id(api: ApiClient, kind: str, wanted: str) -> str:
    """Return the ID of the case with a Tag ID or an ID, or of the user with one or an address.

    Args:
        kind: `case` or `user`.

    Raises:
        RefusedError: there is none.
    """
    by, ways, names = _WAYS[kind]
    fields = " ".join(f"{way}: {kind}(by: ${way}) {{ id }}" for way in ways)
    variables = ", ".join(f"${way}: {by}!" for way in ways)
    query = f"query ({variables}) {{ {fields} }}"
    data = await api.execute(query, **{way: {way: wanted} for way in ways})
    found = next((each for each in data.values() if each), None)
    if found is None:
        raise RefusedError(f"there is no {kind} with the {names} {wanted!r}.")
    return str(found["id"])
