"""What mutations of imports answer, and the one that needs no more than that: cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry
from strawberry import field

from api.access.context import Info
from api.errors import ApiError
from api.schema.importing.imports import Import, ImportId, load_import
from api.schema.input_errors import UserError, user_error
from api.schema.node import key_of
from importers.request_error import RequestError
from models.progress import CancelResult, request_cancel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from api.access.context import Context

    Request: TypeAlias = Callable[..., Awaitable[int | None]]


@strawberry.type(description="What came of cancelling an import or running rows again.")
class ImportPayload:
    import_: Import | None = field(
        name="import", description="The import as it is now; null after errors."
    )
    user_errors: list[UserError] = field(
        description="What was wrong; when there is anything, nothing has been done."
    )


@strawberry.mutation(description="Stop an import; rows that are applied already stay applied.")
async def cancel_import(info: Info, node_id: ImportId) -> ImportPayload:
    context = info.context
    key = key_of("Import", node_id)
    if key is None:
        return refuse(no_such_import())
    result = await context.scope.write(request_cancel, key, by=context.actor)
    if result is CancelResult.NOT_FOUND:
        return refuse(no_such_import())
    if result is CancelResult.FINISHED:
        return refuse(user_error("FINISHED", "The import is finished already.", "id"))
    # Its next chunk sees the request; an import that is not cut yet has none.
    await context.services.queue.enqueue_split(key)
    await context.services.queue.enqueue_run(key)
    return await show_changed(context, key)


async def carry_out(
    context: Context, node_id: str, request: Request, *arguments: Any, **options: Any
) -> ImportPayload:
    """Ask something of an import, and show the import that works on it, or why it is refused.

    Args:
        request: one of the functions in `importers` that are named so. It returns the primary key
            of the import that it makes, or None if it makes none.
    """
    key = key_of("Import", node_id)
    if key is None:
        return refuse(no_such_import())
    try:
        made = await context.scope.write(request, key, *arguments, by=context.actor, **options)
    except RequestError as error:
        return refuse(user_error(error.code, error.message, *error.field))
    await context.services.queue.enqueue_split(made or key)
    return await show_changed(context, made or key)


async def show_changed(context: Context, key: int) -> ImportPayload:
    await context.services.queue.notify_changed(context.token.app_id, key)
    found = await load_import(context, key)
    if found is None:
        raise ApiError("NOT_FOUND", "The import is gone.")
    return ImportPayload(import_=found, user_errors=[])


def no_such_import() -> UserError:
    return user_error("NOT_FOUND", "There is no such import.", "id")


def refuse(error: UserError) -> ImportPayload:
    return ImportPayload(import_=None, user_errors=[error])
