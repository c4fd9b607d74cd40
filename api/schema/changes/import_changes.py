"""What an import has changed, or a dry run would change: a page of changes, row by row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.batch.objects import TOGETHER, Together, read
from api.batch.row_type import RowColumn, RowType
from api.schema.changes.added_field import add_field
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.entities import CASE_ROW, USER_ROW, Case, User
from api.schema.importing.field_change import FieldChange
from api.schema.importing.file_fields import fields_of, role_keys
from api.schema.importing.imports import Import
from api.schema.node import key_of, load_many, load_together
from api.schema.shown_enum import show_enum
from models.assignment import Edit
from models.entity_history import EntityEdit, noun_of
from models.import_change_list import (
    IS_PLANNED,
    SEVERAL_CHANGES,
    SINGLE_CHANGES,
    ChangeKind,
    has_several_changes,
    is_about_case,
    is_about_user,
    is_in_rows_that,
    is_of_kind,
    is_retried,
)
from models.imports import ImportStatus
from models.list_query import Condition
from models.listing import CASES, USERS
from models.present_state import ListedChange, are_stale
from models.row import STORED_CHANGES, RowOutcome, changes_of, import_of, row_number

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from api.batch.objects import Items, Selected
    from models.list_query import Listing

T = TypeVar("T")

show_enum(ChangeKind, description="What a change does.")


async def _load_entities(
    listing: Listing,
    row_type: RowType[T],
    key: str,
    context: Context,
    changes: Items,
    _: Selected,
) -> list[T | None]:
    """Load the case or the user of each change; None where there is none.

    Args:
        key: which of the keys of a change.
    """
    keys = [getattr(change, key) for change in cast("list[Any]", read(changes, "change"))]
    known = {each for each in keys if each is not None}
    found = await load_many(context, listing, row_type, known)
    return [found.get(each) for each in keys]


async def _load_staleness(context: Context, changes: Items, _: Selected) -> list[bool]:
    columns = [cast("list[Any]", read(changes, name)) for name in ListedChange._fields]
    listed = [ListedChange(*each) for each in zip(*columns, strict=True)]
    return await context.scope.read(are_stale, listed)


@strawberry.type(
    description="One thing that an import has done, or a dry run would do, and what for."
)
class ImportChange:
    change: strawberry.Private[Edit | EntityEdit]
    is_ahead: strawberry.Private[bool]
    import_id: strawberry.Private[int]
    row: int = field(description="The row's number, as a spreadsheet shows it.")
    kind: ChangeKind = field(description="What it does.")
    record: str | None = field(
        description="What a plugin calls the record of its own that is changed, such as `rate`; "
        "null for anything else."
    )
    fields: list[FieldChange] = field(
        description="The fields that differ; all of them where something is created or removed. "
        "Of a plugin's own record also those that tell it from others, with equal sides. "
        "Empty if a plugin does not say what it has changed."
    )

    @strawberry.field(
        description="The case that it is about; null for a change of a user, and for a case that a "
        "dry run would create.",
        metadata={
            TOGETHER: Together(partial(_load_entities, CASES, CASE_ROW, "case_id"), ("change",))
        },
    )
    async def case(self, info: Info) -> Case | None:
        key = self.change.case_id
        return None if key is None else await load_together(CASES, CASE_ROW, info.context, key)

    @strawberry.field(
        description="The user that it is about; null for a change of a case, and for a user whom a "
        "dry run would create.",
        metadata={
            TOGETHER: Together(partial(_load_entities, USERS, USER_ROW, "user_id"), ("change",))
        },
    )
    async def user(self, info: Info) -> User | None:
        key = self.change.user_id
        return None if key is None else await load_together(USERS, USER_ROW, info.context, key)

    @strawberry.field(
        description="Whether something else has changed the same since: of a dry run, what is "
        "stored is no longer what it found; of another import, no longer what it left. Of "
        "plugins' own records, what imports have changed is known, and nothing else.",
        metadata={TOGETHER: Together(_load_staleness, ListedChange._fields)},
    )
    async def is_stale(self, info: Info) -> bool:
        [found] = await _load_staleness(info.context, [self], {})
        return found


def _change_at(place: int, *columns: Any) -> Edit | EntityEdit:
    """Return the change at a place of a row; an untold one where the row does not say any."""
    row = dict(zip(STORED_CHANGES, columns, strict=True))
    assignments, others = changes_of(row)
    changes: list[Edit | EntityEdit] = [*assignments, *others] or [
        EntityEdit(row_number(row["id"]))
    ]
    return changes[place]


def _record_of(change: Edit | EntityEdit) -> str | None:
    return noun_of(change.record) if isinstance(change, EntityEdit) else None


def _row_type_of(roles: Mapping[int, str], *, is_dry_run: bool) -> RowType[ImportChange]:
    """Return how the changes of an import are made."""
    columns = ("place", *STORED_CHANGES)
    return RowType(
        ImportChange,
        change=RowColumn(columns, _change_at),
        is_ahead=RowColumn(("is_planned",), lambda is_planned: is_dry_run or bool(is_planned)),
        import_id=RowColumn(("id",), import_of),
        row=RowColumn(("id",), row_number),
        kind=RowColumn(("kind",), ChangeKind),
        record=RowColumn(columns, lambda *values: _record_of(_change_at(*values))),
        fields=RowColumn(columns, lambda *values: fields_of(roles, _change_at(*values))),
    )


@strawberry.field(
    name="changes",
    description="What it has changed, or would change if it is a dry run or held, in the order of "
    "the file's rows; a row that changes several things has several entries. Nothing once the rows "
    "were removed.",
)
async def _list_changes(
    self: Import,
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    kind: Annotated[
        list[ChangeKind] | None, argument(description="Only changes of these kinds.")
    ] = None,
    case: Annotated[
        strawberry.ID | None,
        argument(description="Only changes of the case with this `id`, or of who is on it."),
    ] = None,
    user: Annotated[
        strawberry.ID | None,
        argument(description="Only changes of the user with this `id`, or of the user's cases."),
    ] = None,
) -> Connection[ImportChange]:
    context = info.context
    has_several = await context.scope.read(has_several_changes, self.key)
    outcomes = _outcomes(self, kind, has_several=has_several)
    conditions = _conditions_of(case, user)
    # Of a retry that is held, the other rows have made their changes before.
    if self.status is ImportStatus.HELD and await context.scope.read(is_retried, self.key):
        conditions.append(IS_PLANNED)
    total = None
    if not (conditions or has_several):
        total = sum(map(self.count_rows_that, outcomes))
    conditions.append(is_in_rows_that(outcomes, has_several=has_several))
    if kind is not None and has_several:
        conditions.append(is_of_kind(kind))
    return await connect(
        context,
        SEVERAL_CHANGES if has_several else SINGLE_CHANGES,
        _row_type_of(await role_keys(context), is_dry_run=self.dry_run),
        PageArguments(first=first, after=after, last=last, before=before),
        conditions,
        parent=self.key,
        total=total,
    )


def _outcomes(
    import_: Import, kinds: Collection[ChangeKind] | None, *, has_several: bool
) -> list[RowOutcome]:
    """Return the outcomes of the rows that may have made changes of some kinds."""
    chosen = set(ChangeKind if kinds is None else kinds)
    if has_several and chosen:
        # What a row did that has made changes of several kinds.
        chosen.add(ChangeKind.UPDATE)
    outcomes = [RowOutcome(int(kind)) for kind in sorted(chosen)]
    return [] if import_.purged_at else [each for each in outcomes if import_.count_rows_that(each)]


def _conditions_of(case: str | None, user: str | None) -> list[Condition]:
    asked = (("Case", case, is_about_case), ("User", user, is_about_user))
    keys = [(key_of(kind, node_id), ask) for kind, node_id, ask in asked if node_id is not None]
    return [Condition("false") if key is None else ask(key) for key, ask in keys]


add_field(Import, _list_changes)
