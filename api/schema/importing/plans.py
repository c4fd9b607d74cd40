"""Plans: a dry run is applied, and an import that is held is released."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import argument

from api.access.context import Info
from api.schema.importing.imports import (
    ImportId,
    ImportPayload,
    no_such_import,
    refuse,
    show_changed,
)
from api.schema.input_errors import InputErrors, user_error
from api.schema.node import key_of
from importers.plan_requests import PlanError, request_apply, request_release
from models.new_import import NewName

NAME_LONGEST = 200
KEY_LONGEST = 200


@strawberry.mutation(
    description="Carry out the plan of a finished dry run, exactly: the rows that passed, with the "
    "outcomes that it said. A row fails with `CHANGED_SINCE` if what it changes is not as it was. "
    "A plan is applied once."
)
async def apply_import(
    info: Info,
    node_id: ImportId,
    name: Annotated[
        str | None, argument(description="What to call the new import; else the dry run's name.")
    ] = None,
    idempotency_key: Annotated[
        str | None,
        argument(description="Sent once more, it returns the same import instead of an error."),
    ] = None,
) -> ImportPayload:
    context = info.context
    key = key_of("Import", node_id)
    if key is None:
        return refuse(no_such_import())
    errors = InputErrors()
    new = NewName(
        name=errors.text("name", name, longest=NAME_LONGEST) or None,
        idempotency_key=errors.text("idempotencyKey", idempotency_key, longest=KEY_LONGEST) or None,
    )
    if errors.found:
        return ImportPayload(import_=None, user_errors=errors.found)
    try:
        applied = await context.scope.write(request_apply, key, new, by=context.actor)
    except PlanError as error:
        return refuse(user_error(error.code, error.message, *error.field))
    await context.services.queue.enqueue_split(applied)
    return await show_changed(context, applied)


@strawberry.mutation(
    description="Let an import that is `HELD` go on: what it was held with is applied, as a plan."
)
async def release_import(info: Info, node_id: ImportId) -> ImportPayload:
    context = info.context
    key = key_of("Import", node_id)
    if key is None:
        return refuse(no_such_import())
    try:
        await context.scope.write(request_release, key, by=context.actor)
    except PlanError as error:
        return refuse(user_error(error.code, error.message, *error.field))
    await context.services.queue.enqueue_split(key)
    return await show_changed(context, key)
