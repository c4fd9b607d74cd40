"""What is wrong with a request that is about an import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.sdk.errors import CaserollError
from models.new_import import is_key_in_use

if TYPE_CHECKING:
    from asyncpg import Connection

    from models.new_import import NewName


class RequestError(CaserollError):
    """What a client asks of an import can't be done; nothing has changed.

    `field` is the path of the argument at fault.
    """

    def __init__(self, code: str, message: str, *field: str) -> None:
        self.code = code
        self.message = message
        self.field = field
        super().__init__(message)


async def taken_error(db: Connection, app_id: int, new: NewName) -> RequestError:
    """Say which is in use of what a new import was to have: its key, or else its name."""
    if new.idempotency_key and await is_key_in_use(db, app_id, new.idempotency_key):
        message = "Another request had this idempotency key; use a new key for each."
        return RequestError("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey")
    message = "Another import of this name is running; wait for its end, or give another name."
    return RequestError("NAME_TAKEN", message, "name")
