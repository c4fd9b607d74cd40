"""The tab of problems: why the file was refused, or what is wrong with its failed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.console.pages.importing.import_page import RUNNING, load_import_page, show_import_page
from api.console.pages.problems.failed_rows import (
    EditedRow,
    FileColumn,
    failed_row,
    file_columns,
    find_column,
)
from api.console.pages.problems.group_key import GroupKey, decode_group
from api.console.pages.problems.left_out import left_out_groups
from api.console.pages.problems.problem_groups import (
    ProblemGroup,
    Replacement,
    is_left_out,
    list_groups,
    preview_replacement,
)
from api.console.paging import nodes, page_links, page_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from api.console.form import Form
    from api.console.paging import PageLinks
    from api.console.visit import Visit

_GROUPS, _ROWS = 25, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """What the page shows of failed rows.

    Args:
        groups: of this page of groups.
        left_out: those of this page that the visitor has left out.
        left_out_elsewhere: how many more are left out, as far as is known.
        chosen: the group whose rows are shown; None for all.
        replaced: the column that can get new cells in the chosen group.
        replacement: what was chosen for it, and is looked at before it runs.
        rows: of this page of rows.
        has_all: whether these are all failed rows.
        edited: the row that is edited in a form.
    """

    groups: Sequence[ProblemGroup]
    left_out: Sequence[ProblemGroup]
    left_out_elsewhere: int
    chosen: ProblemGroup | None
    replaced: FileColumn | None
    replacement: Replacement | None
    columns: Sequence[FileColumn]
    rows: Sequence[EditedRow]
    links: PageLinks
    has_all: bool
    edited: EditedRow | None

    @property
    def left_out_kinds(self) -> int:
        """How many kinds of problems are left out, as far as is known."""
        return len(self.left_out) + self.left_out_elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRetry:
    """A request that was refused, and what had been typed for it.

    Args:
        errors: the mutation's `userErrors`.
        cells: new cells by the name of their field.
    """

    errors: Sequence[Mapping[str, Any]]
    cells: Form


async def show_problems(visit: Visit, refused: RefusedRetry | None = None) -> Response:
    """Show what is wrong: all of it, or that of the group which the address names."""
    return show_loaded_problems(visit, await load_problems(visit), refused)


async def load_problems(visit: Visit) -> dict[str, Any]:
    """Run the operation of the page."""
    wanted = decode_group(visit.argument("group"))
    return await load_import_page(
        visit,
        "import_problems",
        groupsFirst=_GROUPS,
        groupsAfter=visit.argument("groups_after"),
        **(wanted.row_filter() if wanted else {}),
        **page_variables(visit, _ROWS),
    )


def show_loaded_problems(
    visit: Visit, data: dict[str, Any], refused: RefusedRetry | None = None
) -> Response:
    """Render the page.

    Args:
        data: from `load_problems`.
    """
    item = data["import"]
    wanted = decode_group(visit.argument("group"))
    left_out = left_out_groups(visit)
    return show_import_page(
        visit,
        "problems",
        data,
        422 if refused else 200,
        problems=describe_problems(visit, item, wanted, left_out),
        refused=refused,
        may_try=visit.is_admin and may_be_tried(item),
        address=_addresses(visit, item),
        was_tried=visit.argument("tried") is not None,
    )


def describe_problems(
    visit: Visit, item: dict[str, Any], wanted: GroupKey | None, left_out: Sequence[str]
) -> Problems:
    """Prepare groups and rows.

    Args:
        item: the import, with `errorGroups` and `rows`.
        wanted: the group that the address names.
        left_out: marks of the groups that are not to be seen.
    """
    columns, width = file_columns(item), len(item["file"]["header"] or ())
    found = nodes(item["errorGroups"])
    groups, gone = list_groups(found, left_out)
    # A group that was left out may have been mended since.
    is_all = len(found) == item["errorGroups"]["totalCount"]
    chosen = next((group for group in groups if group.key == wanted), None)
    rows = [
        failed_row(row, columns, width)
        for row in nodes(item["rows"])
        if chosen or not is_left_out(row["errors"], left_out)
    ]
    replaced = find_column(columns, chosen.key.column) if chosen and not item["undoOf"] else None
    edited = visit.argument("edit")
    return Problems(
        groups=groups,
        left_out=gone,
        left_out_elsewhere=0 if is_all else len(left_out) - len(gone),
        chosen=chosen,
        replaced=replaced,
        replacement=preview_replacement(replaced, visit.request.query_params.get("use"), rows),
        columns=columns,
        rows=rows,
        links=page_links(visit, item["rows"]),
        has_all=len(rows) == item["failed"],
        edited=next((row for row in rows if str(row.number) == edited), None),
    )


def may_be_tried(item: Mapping[str, Any]) -> bool:
    """Tell whether failed rows may run again: the import has ended, and its plan is not applied."""
    is_there = item["failed"] and not item["purgedAt"]
    return bool(is_there and item["status"] not in (*RUNNING, "HELD") and not item["appliedAs"])


class _Addresses:
    """Addresses of this page that show something else, and keep the rest of what is shown."""

    def __init__(self, visit: Visit, place: str, more_groups: str | None) -> None:
        self._visit = visit
        self._place = place
        self.all = visit.address(place)
        self.first_groups = visit.address(place) if visit.argument("groups_after") else None
        self.more_groups = visit.address(place, groups_after=more_groups) if more_groups else None

    def group(self, group: ProblemGroup, **parameters: str) -> str:
        """Choose a group."""
        return self._visit.address(
            self._place,
            group=group.key.encode(),
            groups_after=self._visit.argument("groups_after"),
            **parameters,
        )

    def row(self, number: int | None) -> str:
        """Edit a row in a form, or none."""
        kept = dict(self._visit.request.query_params)
        kept.pop("use", None)
        return self._visit.address(self._place, **{**kept, "edit": number})


def _addresses(visit: Visit, item: dict[str, Any]) -> _Addresses:
    info = item["errorGroups"]["pageInfo"]
    more = info["endCursor"] if info["hasNextPage"] else None
    return _Addresses(visit, f"imports/{visit.path('import_id')}/problems", more)
