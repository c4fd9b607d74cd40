"""Cases: the type, finding them, creating and changing them."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.access.context import Context, Info
from api.batch.batch_field import TOGETHER, Together
from api.batch.row_type import RowColumn, RowType, node_id
from api.errors import ApiError
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.entry import InputErrors, given
from api.schema.node import Node, key_of
from api.schema.user_error import UserError, user_error
from models.listing import CASES, has_tag, is_active, matches_search
from models.page import Condition, find_by_id, find_one
from models.write_one import TagPermanentError, TagTakenError, insert_one, update_one

if TYPE_CHECKING:
    from api.batch.batch_field import Selected
    from api.batch.objects import Items, Values
    from api.schema.assignments import Assignment  # noqa: TC004 - strawberry.lazy imports it

_ABOUT_LONGEST = 10_000


@strawberry.enum(description="Whether a case takes new assignments.")
class CaseStatus(Enum):
    """The API's names of an active case and one that is not."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="Open.")
    CLOSED = strawberry.enum_value("CLOSED", description="Closed: nobody can be put on it.")


async def _assignments(
    context: Context, cases: Items, selected: Selected, **arguments: Any
) -> Values:
    """Page through the assignments of many cases."""
    from api.schema.assignments import assignments_of_cases  # noqa: PLC0415 - it needs Case

    return await assignments_of_cases(context, cases, selected, **arguments)


@strawberry.type(description="A matter that users are assigned to.")
class Case(Node):
    """A case."""

    key: strawberry.Private[int]
    tag_id: str | None = strawberry.field(
        description="The organisation's own name for the case, unique in the app."
    )
    about: str = strawberry.field(description="What the case is about.")
    status: CaseStatus = strawberry.field(description="Whether it is open.")
    date_opened: date | None = strawberry.field(description="When it was opened, if recorded.")
    created_at: datetime = strawberry.field(description="When it came into the system.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @strawberry.field(
        description="Who is on the case, in the order in which users came.",
        metadata={TOGETHER: Together(_assignments, needs=("key",))},
    )
    async def assignments(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        role: Annotated[
            str | None, strawberry.argument(description="Only those in the role with this key.")
        ] = None,
    ) -> Connection[Annotated[Assignment, strawberry.lazy("api.schema.assignments")]]:
        """Page through the case's assignments."""
        from api.schema.assignments import case_assignments  # noqa: PLC0415 - it needs Case

        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await case_assignments(info.context, self.key, arguments, role)


CASE_ROW = RowType(
    Case,
    id=node_id("Case"),
    key=RowColumn(("id",)),
    status=RowColumn(
        ("is_active",), lambda active: CaseStatus.ACTIVE if active else CaseStatus.CLOSED
    ),
)


CaseConnection = Connection[Case]


@strawberry.input(one_of=True, description="Names one case, in one of these ways.")
class CaseBy:
    """How to find a case."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The case's `id`."
    )
    tag_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The case's Tag ID, exactly."
    )


@strawberry.input(description="A new case.")
class CreateCaseInput:
    """What a case is created from."""

    about: str = strawberry.field(description="What the case is about; not blank.")
    tag_id: str | None = strawberry.field(
        default=None,
        description="The organisation's own name for it: letters, digits, `-`, `/` and `_`, up to "
        "64 of them. Unique in the app, and permanent.",
    )
    status: CaseStatus | None = strawberry.field(
        default=CaseStatus.ACTIVE, description="Whether it is open."
    )
    date_opened: date | None = strawberry.field(default=None, description="When it was opened.")


@strawberry.input(description="What is to change; what is left out stays as it is.")
class UpdateCaseInput:
    """Changes of a case."""

    about: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the case is about; not blank."
    )
    tag_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The Tag ID of a case that has none; one that is set is permanent.",
    )
    status: CaseStatus | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it is open."
    )
    date_opened: date | None = strawberry.field(
        default=strawberry.UNSET, description="When it was opened; null clears it."
    )


@strawberry.type(description="What came of creating or changing a case.")
class CasePayload:
    """The case, or what was wrong."""

    case: Case | None = strawberry.field(description="The case as it is now; null after errors.")
    user_errors: list[UserError] = strawberry.field(
        description="What was wrong; when there is anything, nothing has been done."
    )


async def list_cases(
    context: Context, arguments: PageArguments, search: str | None, status: CaseStatus | None
) -> Connection[Any]:
    """Page through the app's cases, oldest first."""
    conditions: list[Condition] = []
    if search and search.strip():
        conditions.append(matches_search(CASES, search))
    if status is not None:
        conditions.append(is_active(status is CaseStatus.ACTIVE))
    return await connect(context, CASES, CASE_ROW.objects, arguments, conditions)


async def find_case(context: Context, by: CaseBy) -> Case | None:
    """Find a case by ID or Tag ID."""
    if given(by.tag_id) is not None:
        row = await context.scope.read(find_one, CASES, has_tag(str(by.tag_id)))
        return row and CASE_ROW.object(row)
    key = key_of("Case", str(by.id))
    return None if key is None else await load_case(context, key)


async def load_case(context: Context, key: int) -> Case | None:
    """Read a case by its primary key."""
    rows = await context.scope.read(find_by_id, CASES, [key])
    return CASE_ROW.object(rows[0]) if rows else None


async def create_case(context: Context, values: CreateCaseInput) -> CasePayload:
    """Create a case, or say what is wrong."""
    problems = InputErrors()
    row = {
        "about": problems.text("about", values.about, required=True, longest=_ABOUT_LONGEST),
        "tag_id": problems.tag(values.tag_id),
        "is_active": values.status is not CaseStatus.CLOSED,
        "date_opened": values.date_opened,
    }
    if problems.found:
        return CasePayload(case=None, user_errors=problems.found)
    try:
        key = await context.scope.write(insert_one, "cases", row, by=context.actor)
    except TagTakenError:
        return _failed(_tag_taken(values.tag_id))
    return await _payload(context, key)


async def update_case(context: Context, node_id: str, values: UpdateCaseInput) -> CasePayload:
    """Change a case, or say what is wrong."""
    problems = InputErrors()
    changes: dict[str, object] = {}
    if given(values.about) is not None:
        changes["about"] = problems.text(
            "about", values.about, required=True, longest=_ABOUT_LONGEST
        )
    if given(values.tag_id) is not None:
        changes["tag_id"] = problems.tag(values.tag_id)
    if given(values.status) is not None:
        changes["is_active"] = values.status is CaseStatus.ACTIVE
    if values.date_opened is not strawberry.UNSET:
        changes["date_opened"] = values.date_opened
    if problems.found:
        return CasePayload(case=None, user_errors=problems.found)
    key = key_of("Case", node_id)
    try:
        is_there = key is not None and await context.scope.write(
            update_one, "cases", key, changes, by=context.actor
        )
    except TagTakenError:
        return _failed(_tag_taken(values.tag_id))
    except TagPermanentError as error:
        message = f"The case has the Tag ID '{error.tag_id}', and a case keeps its Tag ID for ever."
        return _failed(user_error("TAG_PERMANENT", message, "input", "tagId"))
    if key is None or not is_there:
        return _failed(user_error("NOT_FOUND", "There is no such case.", "id"))
    return await _payload(context, key)


async def _payload(context: Context, key: int) -> CasePayload:
    case = await load_case(context, key)
    if case is None:
        raise ApiError("NOT_FOUND", "The case is gone.")
    return CasePayload(case=case, user_errors=[])


def _failed(error: UserError) -> CasePayload:
    return CasePayload(case=None, user_errors=[error])


def _tag_taken(tag_id: str | None) -> UserError:
    message = f"Another case has the Tag ID '{(tag_id or '').strip()}'."
    return user_error("TAG_TAKEN", message, "input", "tagId")
