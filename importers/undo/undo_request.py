"""The request to undo an import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.request_error import RequestError, taken_error
from models.undo import find_undo, insert_undo, read_to_undo

if TYPE_CHECKING:
    from asyncpg import Connection

    from models.audit import Actor
    from models.new_import import NewName
    from models.undo import ImportToUndo


class UndoError(RequestError):
    """The import can't be undone."""


async def request_undo(
    db: Connection,
    app_id: int,
    import_id: int,
    new: NewName,
    *,
    is_dry_run: bool,
    within_days: int,
    by: Actor,
) -> int:
    """Create an import that takes back what another one has changed; return its primary key.

    Asked once more with the same idempotency key, it returns the same import. Of two requests at
    the same moment, one is refused.

    Args:
        is_dry_run: only say what would become of it.
        within_days: how long after its end an import can be undone; 0: for ever.

    Raises:
        RequestError: the request is refused; nothing has changed.
    """
    # The second of two requests waits here for the first.
    found = await read_to_undo(db, app_id, import_id, within_days=within_days, lock=True)
    if found is None:
        raise UndoError("NOT_FOUND", "There is no such import.", "id")
    if new.idempotency_key:
        earlier = await find_undo(db, app_id, new.idempotency_key)
        if earlier and earlier.repeats(import_id, is_dry_run=is_dry_run):
            return earlier.id
    refusal = undo_refusal(found, within_days, is_dry_run=is_dry_run)
    if refusal:
        raise refusal
    key = await insert_undo(db, app_id, import_id, new, is_dry_run=is_dry_run, by=by)
    if key is None:
        raise await taken_error(db, app_id, new)
    return key


def undo_refusal(
    found: ImportToUndo, within_days: int, *, is_dry_run: bool = False
) -> UndoError | None:
    """Say why an import can't be undone; None when it can.

    Args:
        is_dry_run: whether it is only to be said what would become of it.
    """
    if found.is_dry_run:
        message = "A dry run has changed nothing; if it was applied, undo the import that did that."
        return UndoError("NOTHING_TO_UNDO", message, "id")
    if not found.status.is_final:
        return UndoError("NOT_FINISHED", "The import is not finished; wait for its end.", "id")
    if not found.is_reversible:
        return _irreversible(found)
    if found.is_too_old:
        message = f"An import can be undone for {within_days} days after its end."
        return UndoError("TOO_LATE", message, "id")
    if found.undone_by is not None and not is_dry_run:
        message = f"It was undone by the import '{found.undone_by}'; undo that one to take it back."
        return UndoError("ALREADY_UNDONE", message, "id")
    return None


def _irreversible(found: ImportToUndo) -> UndoError:
    if found.has_history:
        message = "The import's plugin does not say how to take back what it has changed."
        return UndoError("NOT_REVERSIBLE", message, "id")
    message = "The import has changed nothing, or what it has changed is not known."
    return UndoError("NOTHING_TO_UNDO", message, "id")
