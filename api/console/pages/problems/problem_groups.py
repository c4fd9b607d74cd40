"""Groups of failed rows: which there are, and how one of them can be mended at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.console.pages.problems.group_key import GroupKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from api.console.pages.problems.failed_rows import EditedRow, FileColumn

_PREVIEW_ROWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemGroup:
    """Failed rows that have the same error.

    Args:
        error: the fields of the fragment `ProblemGroup`; its message is that of the first row.
        rows: their numbers, such as `18-25, 301`, with dashes.
    """

    key: GroupKey
    error: Mapping[str, Any]
    count: int
    rows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A new cell for all rows of a group, shown before it is tried.

    Args:
        rows: the first rows that get it.
    """

    column: FileColumn
    value: str
    rows: Sequence[EditedRow]


def list_groups(
    found: Sequence[Mapping[str, Any]], left_out: Collection[str]
) -> tuple[list[ProblemGroup], list[ProblemGroup]]:
    """Prepare groups for their lists: those to be mended, and those that were left out.

    Args:
        found: the nodes of `errorGroups`.
        left_out: marks of groups.
    """
    groups = [
        ProblemGroup(
            key=GroupKey.of(node), error=node, count=node["count"], rows=write_ranges(node)
        )
        for node in found
    ]
    gone = [group for group in groups if group.key.mark() in left_out]
    return [group for group in groups if group not in gone], gone


def write_ranges(group: Mapping[str, Any]) -> str:
    """Write which rows a group has.

    Example:
        >>> write_ranges({"rows": ["7", "301"], "count": 2})
        '7, 301'
        >>> write_ranges({"rows": ["7"], "count": 30})
        '7, …'
    """
    shown = [numbers.replace("-", "\u2013") for numbers in group["rows"]]
    return ", ".join(shown if _count_numbers(group["rows"]) == group["count"] else [*shown, "…"])


def _count_numbers(ranges: Sequence[str]) -> int:
    ends = [numbers.partition("-")[::2] for numbers in ranges]
    return sum(int(last or first) - int(first) + 1 for first, last in ends)


def is_left_out(errors: Sequence[Mapping[str, Any]], left_out: Collection[str]) -> bool:
    """Tell whether a row has an error of a group that was left out: it can't pass anyway."""
    return bool(left_out) and any(GroupKey.of(error).mark() in left_out for error in errors)


def preview_replacement(
    column: FileColumn | None, value: str | None, rows: Sequence[EditedRow]
) -> Replacement | None:
    """Prepare a look at the rows that would get a new cell; None unless one was asked for."""
    if column is None or value is None:
        return None
    return Replacement(column=column, value=value.strip(), rows=rows[:_PREVIEW_ROWS])
