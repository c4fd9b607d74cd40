"""The tab of changes: what an import has changed, or would change, by case or by user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from api.console.pages.changes.consequences import sort_consequences
from api.console.pages.changes.undo_piles import sort_into_piles
from api.console.pages.importing.available import is_ahead
from api.console.pages.importing.import_page import load_import_page, show_import_page
from api.console.paging import nodes, page_links, page_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.responses import Response

    from api.console.visit import Visit

KINDS = {"CREATE": "toCreate", "UPDATE": "toUpdate", "REMOVE": "toRemove"}
"""The kinds of changes, each with its name in `ChangeCounts`."""
VIEWS = ("case", "user")
# What names something that does not exist yet: a rehearsal would create it.
_NAMES = ("tag_id", "host_tag_id", "username")
_ROLE, _MAIL = "case_role_id", "case_notify"


class Subject(NamedTuple):
    """The case or the user that a change is about.

    Args:
        noun: `case` or `user`; blank for what is neither, or does not exist yet.
        key: of its page; None if it has none.
        tag: what files call it.
        name: what people call it; may be blank.
    """

    noun: str
    key: str | None
    tag: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One change.

    Args:
        other: whom it puts on the case, or on which case it puts the user; None for a change of a
            case or a user itself.
        before: the role that an assignment had.
        after: the role that it gets.
        mail: `0` or `1` if the row asks for a mail to the user, or no longer does; else None.
        fields: what else differs, as the API has it.
    """

    kind: str
    row: int
    other: Subject | None
    before: str | None
    after: str | None
    mail: str | None
    fields: list[Mapping[str, Any]]
    is_stale: bool


class ChangeGroup(NamedTuple):
    """The changes about one case, or one user, on a page."""

    subject: Subject
    lines: list[ChangeLine]


async def show_changes(visit: Visit) -> Response:
    """Show a page of the changes, of the kinds that the address says."""
    kinds = [kind for kind in visit.arguments("kind") if kind in KINDS]
    view = "user" if visit.argument("view") == "user" else "case"
    filters = {name: visit.argument(name) for name in VIEWS}
    is_first = not (visit.argument("after") or visit.argument("before"))
    data = await load_import_page(
        visit,
        "import_changes",
        kind=kinds or None,
        isFirst=is_first,
        **filters,
        **page_variables(visit, 100),
    )
    item = data["import"]
    changes = nodes(item["changes"])
    return show_import_page(
        visit,
        "changes",
        data,
        groups=group_changes(changes, view),
        stale=sum(change["isStale"] for change in changes),
        links=page_links(visit, item["changes"]),
        counts=count_kinds(item),
        is_ahead=is_ahead(item),
        kinds=kinds,
        view=view,
        filters={name: key for name, key in filters.items() if key},
        consequences=sort_consequences(item.get("consequences", ())),
        piles=sort_into_piles(item) if is_first and item["undoOf"] else None,
        kept=item["kept"]["totalCount"] if is_first else 0,
    )


def count_kinds(item: Mapping[str, Any]) -> dict[str, int]:
    """Return how many changes of each kind an import has.

    Args:
        item: with the fields of `ChangeCounts`.
    """
    return {kind: item[alias]["totalCount"] for kind, alias in KINDS.items()}


def group_changes(changes: Iterable[Mapping[str, Any]], view: str) -> list[ChangeGroup]:
    """Group the changes of a page by case, or by user, in the order in which these come.

    Args:
        view: `case` or `user`.
    """
    groups: dict[object, ChangeGroup] = {}
    for number, change in enumerate(changes):
        subject, other = _sides(change, view)
        key = subject[:3] if subject.key or subject.tag else number
        groups.setdefault(key, ChangeGroup(subject, [])).lines.append(_line(change, other))
    return list(groups.values())


def _sides(change: Mapping[str, Any], view: str) -> tuple[Subject, Subject | None]:
    """Return what a change is to be listed under, and the other side of an assignment."""
    case = _case_of(change["case"]) if change["case"] else None
    user = _user_of(change["user"]) if change["user"] else None
    first, second = (case, user) if view == "case" else (user, case)
    if first:
        return first, second
    return second or _new_subject(change["fields"]), None


def _case_of(case: Mapping[str, Any]) -> Subject:
    return Subject("case", case["id"], case["tagId"] or case["about"], case["about"])


def _user_of(user: Mapping[str, Any]) -> Subject:
    name = f"{user['givenName']} {user['familyName']}".strip()
    return Subject("user", user["id"], user["tagId"] or user["email"], name or user["email"])


def _new_subject(fields: Iterable[Mapping[str, Any]]) -> Subject:
    values = {field["name"]: field["after"] or field["before"] for field in fields}
    tag = next((values[name] for name in _NAMES if values.get(name)), "")
    return Subject("", None, tag, values.get("about") or "")


def _line(change: Mapping[str, Any], other: Subject | None) -> ChangeLine:
    fields = {field["name"]: field for field in change["fields"]}
    role = fields.pop(_ROLE, None) or {}
    mail = fields.pop(_MAIL, None) or {}
    is_told = mail.get("after") == "1" or change["kind"] == "UPDATE"
    return ChangeLine(
        kind=change["kind"],
        row=change["row"],
        other=other,
        before=role.get("before"),
        after=role.get("after"),
        mail=mail.get("after") if is_told else None,
        fields=list(fields.values()),
        is_stale=change["isStale"],
    )
