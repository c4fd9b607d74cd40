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
        found: as the API has it.
        more: how many cases or users it concerns beside those that are named.
    """

    found: Mapping[str, Any]
    is_warning: bool
    cases: list[Mapping[str, Any]]
    users: list[Mapping[str, Any]]
    more: int


def sort_consequences(item: Mapping[str, Any]) -> list[ShownConsequence]:
    """Prepare the consequences of an import, warnings first.

    Args:
        item: with `ImportHead`, and with consequences if they were asked for.
    """
    found: Iterable[Mapping[str, Any]] = item.get("consequences", ())
    # To take back what another import has done is what an undo is for.
    passed_over = "REVERSALS" if item["undoOf"] else None
    shown = [_show_consequence(each) for each in found if each["code"] != passed_over]
    return sorted(shown, key=lambda each: not each.is_warning)


def _show_consequence(found: Mapping[str, Any]) -> ShownConsequence:
    cases, users = found["cases"], found["users"]
    # What is counted are cases, users, or pairs of both, of which the first few are named.
    named = max(len(cases), len(users))
    return ShownConsequence(
        found=found,
        is_warning=found["code"] not in _REMARKS,
        cases=cases,
        users=users,
        more=max(0, found["count"] - named),
    )
