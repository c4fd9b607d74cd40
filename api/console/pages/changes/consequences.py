"""What follows from an import: what an admin should be warned of, before what is good to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Nothing is wrong with mails.
_REMARKS = ("MAILS",)


class ShownConsequence(NamedTuple):
    """One consequence.

    Args:
        more: how many cases or users it concerns beside those that are named.
    """

    message: str
    is_warning: bool
    cases: list[Mapping[str, Any]]
    users: list[Mapping[str, Any]]
    more: int


def sort_consequences(found: Iterable[Mapping[str, Any]]) -> list[ShownConsequence]:
    """Prepare consequences as the API has them, warnings first."""
    shown = [_show_consequence(each) for each in found]
    return sorted(shown, key=lambda each: not each.is_warning)


def _show_consequence(found: Mapping[str, Any]) -> ShownConsequence:
    cases, users = found["cases"], found["users"]
    # What is counted are cases, users, or pairs of both, of which the first few are named.
    named = max(len(cases), len(users))
    return ShownConsequence(
        message=found["message"],
        is_warning=found["code"] not in _REMARKS,
        cases=cases,
        users=users,
        more=max(0, found["count"] - named),
    )
