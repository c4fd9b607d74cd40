"""Changes as lines under the case, or the user, that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from api.console.shown_text import name_of_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What names something that does not exist yet: a rehearsal would create it.
_NAMES = ("tag_id", "host_tag_id", "username")
_ROLE, _MAIL = "case_role_id", "case_notify"


class ChangedSubject(NamedTuple):
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
    other: ChangedSubject | None
    before: str | None
    after: str | None
    mail: str | None
    fields: list[Mapping[str, Any]]
    is_stale: bool


class ChangeGroup(NamedTuple):
    """The changes about one case, or one user, on a page."""

    subject: ChangedSubject
    lines: list[ChangeLine]


def group_changes(changes: Iterable[Mapping[str, Any]], view: str) -> list[ChangeGroup]:
    """Group the changes of a page by case, or by user, in the order in which these come.

    Args:
        view: `case` or `user`.
    """
    groups: dict[object, ChangeGroup] = {}
    for number, change in enumerate(changes):
        subject, other = _sides(change, view)
        key = subject[:3] if subject.key or subject.tag else number
        line = _change_line(change, subject, other)
        groups.setdefault(key, ChangeGroup(subject, [])).lines.append(line)
    return list(groups.values())


def _sides(change: Mapping[str, Any], view: str) -> tuple[ChangedSubject, ChangedSubject | None]:
    """Return what a change is to be listed under, and the other side of an assignment."""
    case = _case_of(change["case"]) if change["case"] else None
    user = _user_of(change["user"]) if change["user"] else None
    first, second = (case, user) if view == "case" else (user, case)
    if first:
        return first, second
    return second or _new_subject(change["fields"]), None


def _case_of(case: Mapping[str, Any]) -> ChangedSubject:
    return ChangedSubject("case", case["id"], case["tagId"] or case["about"], case["about"])


def _user_of(user: Mapping[str, Any]) -> ChangedSubject:
    tag = user["tagId"] or user["email"]
    return ChangedSubject("user", user["id"], tag, name_of_user(user))


def _new_subject(fields: Iterable[Mapping[str, Any]]) -> ChangedSubject:
    values = {field["name"]: field["after"] or field["before"] for field in fields}
    tag = next((values[name] for name in _NAMES if values.get(name)), "")
    return ChangedSubject("", None, tag, values.get("about") or "")


def _change_line(
    change: Mapping[str, Any], subject: ChangedSubject, other: ChangedSubject | None
) -> ChangeLine:
    fields = {field["name"]: field for field in change["fields"]}
    role = fields.pop(_ROLE, None) or {}
    mail = fields.pop(_MAIL, None) or {}
    is_told = mail.get("after") == "1" or change["kind"] == "UPDATE"
    # The heading has them.
    known = (subject.tag, subject.name) if subject.key is None else ()
    return ChangeLine(
        kind=change["kind"],
        row=change["row"],
        other=other,
        before=role.get("before"),
        after=role.get("after"),
        mail=mail.get("after") if is_told else None,
        fields=[field for field in fields.values() if field["after"] not in known],
        is_stale=change["isStale"],
    )
