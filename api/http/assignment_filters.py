"""Parameters of URLs by which assignments are chosen, with the meaning of those of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from api.access.loaders import Loaders
from api.errors import HttpError, bad_request
from api.files.export_nouns import FIND
from api.schema.node import key_of
from models.assignment_lists import assignments_of, has_state, is_in_role
from models.list_facts import find_rows
from models.listing import IMPORTS, concerns, has_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.access.scope import Scope
    from models.list_query import Condition, Listing

_LONGEST_SHOWN = 100
_STATES = {
    "case": {"ACTIVE": True, "CLOSED": False},
    "user": {"ACTIVE": True, "DISABLED": False},
}


async def choose_assignments(
    scope: Scope, asked: Mapping[str, str]
) -> tuple[Listing, int | None, list[Condition]]:
    """Return the list that has what is asked for, whose it is if not the app's, and conditions.

    Raises:
        HttpError: the app has no such case, user, import or role, or there is no such state.
    """
    listing, parent, conditions = assignments_of(
        case=await _find_key(scope, "case", asked["case"]) if "case" in asked else None,
        user=await _find_key(scope, "user", asked["user"]) if "user" in asked else None,
        import_key=await _find_import(scope, asked["import"]) if "import" in asked else None,
    )
    if "role" in asked:
        conditions.append(await _find_role(scope, asked["role"]))
    if asked.get("search", "").strip():
        conditions.append(await scope.read(concerns, asked["search"]))
    if "caseStatus" in asked:
        conditions.append(await _find_state(scope, "case", asked["caseStatus"]))
    if "userStatus" in asked:
        conditions.append(await _find_state(scope, "user", asked["userStatus"]))
    return listing, parent, conditions


async def _find_key(scope: Scope, noun: Literal["case", "user"], name: str) -> int:
    """Find a case or user as files name it: by its Tag ID, or else by the ID that the API shows.

    Raises:
        HttpError: the app has none.
    """
    kind = noun.title()
    key = key_of(kind, name)
    # PostgreSQL takes no NUL.
    tags = [] if "\0" in name else [name]
    found = await scope.read(FIND[kind], tags=tags, ids=[] if key is None else [key])
    if not found:
        message = f"There is no {noun} with the Tag ID or ID {shown_name(name)}."
        raise HttpError(404, "NOT_FOUND", message)
    by_tag = (each.id for each in found if each.tag_id == name)
    return next(by_tag, found[0].id)


async def _find_import(scope: Scope, name: str) -> int:
    key = key_of("Import", name)
    if key is None or not await scope.read(find_rows, IMPORTS, has_id([key]), ["id"]):
        raise HttpError(404, "NOT_FOUND", f"There is no import with the ID {shown_name(name)}.")
    return key


async def _find_role(scope: Scope, key: str) -> Condition:
    roles = [role["key"] for role in await Loaders(scope).roles()]
    if key not in roles:
        message = f"There is no role {shown_name(key)}; the app has {', '.join(roles)}."
        raise HttpError(404, "NOT_FOUND", message)
    return await scope.read(is_in_role, key)


async def _find_state(scope: Scope, noun: Literal["case", "user"], name: str) -> Condition:
    states = _STATES[noun]
    if name not in states:
        these = " and ".join(states)
        raise bad_request(f"There is no state {shown_name(name)} of {noun}s; there are {these}.")
    return await scope.read(has_state, noun, is_active=states[name])


def shown_name(name: str) -> str:
    """Return what a URL has, short enough for a message."""
    return f"'{name[:_LONGEST_SHOWN]}'"
