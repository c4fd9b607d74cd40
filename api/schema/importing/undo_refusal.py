"""Why an import can't be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.schema.input_errors import UserError, user_error
from importers.undo.undo_request import undo_refusal
from models.undo import read_to_undo

if TYPE_CHECKING:
    from api.access.context import Context


async def find_undo_refusal(context: Context, key: int) -> UserError | None:
    days = context.services.settings.undo_days
    found = await context.scope.read(read_to_undo, key, within_days=days)
    refusal = undo_refusal(found, days) if found else None
    return user_error(refusal.code, refusal.message, *refusal.field) if refusal else None
