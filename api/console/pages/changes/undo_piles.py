"""An undo in three piles: what is reversed, what others have changed since, and what can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from api.console.paging import nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHANGED = "CHANGED_SINCE"


class KeptRow(NamedTuple):
    """A change that stays, as something else has changed the same since."""

    case: str
    user: str
    problem: Mapping[str, Any]


class Piles(NamedTuple):
    """What becomes of the changes that an undo takes back.

    Args:
        reversed: how many rows take something back.
        done: how many find that it was taken back already.
        kept_rows: the first few of those that are kept.
        others: error groups of what can't be taken back.
    """

    reversed: int
    done: int
    kept: int
    kept_rows: list[KeptRow]
    irreversible: int
    others: list[Mapping[str, Any]]


def sort_into_piles(item: Mapping[str, Any]) -> Piles:
    """Sort what an undo, or its rehearsal, has come to.

    Args:
        item: with `ImportHead`, the rows `kept`, and `errorGroups`.
    """
    kept = item["kept"]["totalCount"]
    return Piles(
        reversed=item["passed"] - item["unchanged"],
        done=item["unchanged"],
        kept=kept,
        kept_rows=[_kept_row(row) for row in nodes(item["kept"])],
        irreversible=item["failed"] - kept,
        others=[each for each in nodes(item["errorGroups"]) if each["code"] != _CHANGED],
    )


def _kept_row(row: Mapping[str, Any]) -> KeptRow:
    cells = {cell["column"]: cell["value"] for cell in row["cells"]}
    problem = next(each for each in row["errors"] if each["code"] == _CHANGED)
    return KeptRow(cells.get("case_id", ""), cells.get("user_id", ""), problem)
