"""What is wrong with a request that is about an import."""

from __future__ import annotations

from importers.sdk.errors import CaserollError


class RequestError(CaserollError):
    """What a client asks of an import can't be done; nothing has changed.

    `field` is the path of the argument at fault.
    """

    def __init__(self, code: str, message: str, *field: str) -> None:
        self.code = code
        self.message = message
        self.field = field
        super().__init__(message)
