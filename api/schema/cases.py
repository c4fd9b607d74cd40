"""Cases: finding, creating and changing them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry
from strawberry import UNSET, argument, field

from api.access.context import Info
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, Search
from api.schema.entities import CASE_ROW, Case, CaseStatus
from api.schema.entity_kind import (
    EntityKind,
    create_entity,
    find_by_tags,
    find_entity,
    list_entities,
    update_entity,
)
from api.schema.input_errors import InputErrors, UserError, given
from api.schema.list_order import OrderBy, UpdatedSince
from api.schema.node import MOST_NAMED
from models.listing import CASES, has_tag

_ABOUT_LONGEST = 10_000


@strawberry.input(one_of=True, description="Names one case, in one of these ways.")
class CaseBy:
    id: strawberry.ID | None = field(default=UNSET, description="The case's `id`.")
    tag_id: str | None = field(default=UNSET, description="The case's Tag ID, exactly.")


@strawberry.input(description="A new case.")
class CreateCaseInput:
    about: str = field(description="What the case is about; not blank.")
    tag_id: str | None = field(
        default=None,
        description="The organisation's own name for it: letters, digits, `-`, `/` and `_`, up to "
        "64 of them. Unique in the app, and permanent.",
    )
    status: CaseStatus | None = field(default=CaseStatus.ACTIVE, description="Whether it is open.")
    date_opened: date | None = field(default=None, description="When it was opened.")


@strawberry.input(
    description="What is to change. What is left out stays as it is; null clears what may be "
    "empty, and is refused elsewhere."
)
class UpdateCaseInput:
    about: str | None = field(default=UNSET, description="What the case is about; not blank.")
    tag_id: str | None = field(
        default=UNSET,
        description="The Tag ID of a case that has none; one that is set is permanent.",
    )
    status: CaseStatus | None = field(default=UNSET, description="Whether it is open.")
    date_opened: date | None = field(
        default=UNSET, description="When it was opened; null clears it."
    )


@strawberry.type(description="What came of creating or changing a case.")
class CasePayload:
    case: Case | None = field(description="The case as it is now; null after errors.")
    user_errors: list[UserError] = field(
        description="What was wrong; when there is anything, nothing has been done."
    )


CASE = EntityKind(
    noun="case",
    table="cases",
    listing=CASES,
    row_type=CASE_ROW,
    readers={
        "about": lambda errors, about: errors.text(
            "about", about, required=True, longest=_ABOUT_LONGEST, has_lines=True
        ),
        "tag_id": InputErrors.tag,
        "status": lambda errors, status: errors.present("status", status) is CaseStatus.ACTIVE,
        "date_opened": lambda _, day: day,
    },
    keeps_tag="a case keeps its Tag ID for ever",
)


@strawberry.field(name="cases", description="The app's cases, in the order in which they came.")
async def list_cases(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    search: Search = None,
    status: Annotated[CaseStatus | None, argument(description="Only cases in this state.")] = None,
    updated_since: UpdatedSince = None,
    order_by: OrderBy = None,
) -> Connection[Case]:
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    active = None if status is None else status is CaseStatus.ACTIVE
    return await list_entities(
        CASE,
        info.context,
        arguments,
        search,
        active=active,
        updated_since=updated_since,
        order_by=order_by,
    )


@strawberry.field(name="case", description="One case; null when the app has no such case.")
async def find_case(
    info: Info, by: Annotated[CaseBy, argument(description="Which one.")]
) -> Case | None:
    tag_id = given(by.tag_id)
    condition = None if tag_id is None else has_tag(tag_id)
    return await find_entity(CASE, info.context, by.id, condition)


@strawberry.field(
    name="casesByTagId",
    description="Cases by their Tag IDs, exactly, in the same order; null where the app has no "
    "such case.",
)
async def find_cases_by_tag(
    info: Info,
    tag_ids: Annotated[list[str], argument(description=f"At most {MOST_NAMED:,}.")],
) -> list[Case | None]:
    return await find_by_tags(CASE, info.context, tag_ids)


@strawberry.mutation(description="Create a case.")
async def create_case(
    info: Info, values: Annotated[CreateCaseInput, argument(name="input", description="The case.")]
) -> CasePayload:
    case, user_errors = await create_entity(CASE, info.context, values)
    return CasePayload(case=case, user_errors=user_errors)


@strawberry.mutation(description="Change a case.")
async def update_case(
    info: Info,
    node_id: Annotated[strawberry.ID, argument(name="id", description="The case's `id`.")],
    values: Annotated[UpdateCaseInput, argument(name="input", description="The changes.")],
) -> CasePayload:
    case, user_errors = await update_entity(CASE, info.context, node_id, values)
    return CasePayload(case=case, user_errors=user_errors)
