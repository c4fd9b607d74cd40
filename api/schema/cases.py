"""Cases: finding, creating and changing them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import strawberry

from api.schema.connection import Connection, PageArguments
from api.schema.entities import CASE_ROW, Case, CaseStatus
from api.schema.entity_kind import (
    EntityKind,
    create_entity,
    find_entity,
    list_entities,
    load_entity,
    update_entity,
)
from api.schema.input_errors import InputErrors, UserError, given
from models.case import Case as StoredCase
from models.listing import CASES, has_tag

if TYPE_CHECKING:
    from api.access.context import Context

_ABOUT_LONGEST = 10_000

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


_CASE = EntityKind(
    noun="case",
    table="cases",
    model=StoredCase,
    listing=CASES,
    row_type=CASE_ROW,
    readers={
        "about": lambda errors, about: errors.text(
            "about", about, required=True, longest=_ABOUT_LONGEST
        ),
        "tag_id": InputErrors.tag,
        "status": lambda _, status: status is CaseStatus.ACTIVE,
        "date_opened": lambda _, day: day,
    },
    keeps_tag="a case keeps its Tag ID for ever",
)


async def list_cases(
    context: Context, arguments: PageArguments, search: str | None, status: CaseStatus | None
) -> Connection[Any]:
    """Page through the app's cases, oldest first."""
    active = None if status is None else status is CaseStatus.ACTIVE
    return await list_entities(_CASE, context, arguments, search, active=active)


async def load_case(context: Context, key: int) -> Case | None:
    """Read a case by its primary key."""
    return await load_entity(_CASE, context, key)


async def find_case(context: Context, by: CaseBy) -> Case | None:
    """Find a case by ID or Tag ID."""
    tag_id = given(by.tag_id)
    return await find_entity(_CASE, context, by.id, None if tag_id is None else has_tag(tag_id))


async def create_case(context: Context, values: CreateCaseInput) -> CasePayload:
    """Create a case, or say what is wrong."""
    case, user_errors = await create_entity(_CASE, context, values)
    return CasePayload(case=case, user_errors=user_errors)


async def update_case(context: Context, node_id: str, values: UpdateCaseInput) -> CasePayload:
    """Change a case, or say what is wrong."""
    case, user_errors = await update_entity(_CASE, context, node_id, values)
    return CasePayload(case=case, user_errors=user_errors)
