"""Errors as clients see them: with stable codes, and without anything internal."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from asyncpg import (
    CharacterNotInRepertoireError,
    QueryCanceledError,
    UntranslatableCharacterError,
)
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError

from api.language import translator
from models.db import is_passing

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)

_CLIENTS_FAULT = (GraphQLError, StrawberryInputCoercionError)
_SUGGESTION = " Did you mean "


class ApiError(GraphQLError):
    """An error of one field that the client is meant to read.

    Args:
        code: stable, upper-case name of the kind of error.
        message: a sentence for the client's developer.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


class AnswerTooLargeError(ApiError):
    """An operation was executed, but its answer is not sent."""

    def __init__(self, characters: int, limit: int) -> None:
        super().__init__(
            "ANSWER_TOO_LARGE",
            f"The answer has {characters:,} characters; {limit:,} are the most. "
            "Ask for smaller pages, or fewer fields.",
        )


class HttpError(Exception):
    """A request that is refused as a whole; code and message are as those of an `ApiError`."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        super().__init__(message)

    @property
    def body(self) -> dict[str, Any]:
        """The response's body, in the shape of a GraphQL one."""
        message = translator().error(self.as_dict())
        return {"errors": [{"message": message, "extensions": {"code": self.code}}]}

    def as_dict(self) -> dict[str, str]:
        """Return code and message, in English."""
        return {"code": self.code, "message": self.message}


def bad_request(message: str) -> HttpError:
    """Make the error that refuses a request for its form."""
    return HttpError(400, "BAD_REQUEST", message)


def shape_error(error: GraphQLError) -> dict[str, Any]:
    """Return an error as the client gets it; a bug is logged, and masked with the entry's ID."""
    # Strawberry and graphql-core may each have wrapped the exception.
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    # Both are the client's doing, but found so deep that they look like bugs.
    if isinstance(cause, RecursionError):
        return _replace(error, "TOO_COMPLEX", "The query is nested too deeply.")
    if isinstance(cause, CharacterNotInRepertoireError | UntranslatableCharacterError):
        return _replace(error, "BAD_REQUEST", "Text must not contain NUL characters.")
    if isinstance(cause, QueryCanceledError):
        return _replace(error, "TIMED_OUT", "To find this takes too long; ask for less of it.")
    if cause is None or isinstance(cause, _CLIENTS_FAULT):
        own = error.extensions or {}
        # A guess must not reveal names of the schema.
        message = error.message if "code" in own else error.message.partition(_SUGGESTION)[0]
        is_syntax = isinstance(error, GraphQLSyntaxError)
        default = {"code": "SYNTAX_ERROR"} if is_syntax else {"code": "BAD_REQUEST"}
        extensions = default | own
        message = translator().error({"code": extensions["code"], "message": message})
        return {**error.formatted, "message": message, "extensions": extensions}
    incident = log_incident(str(error.path or "the operation"), cause)
    if is_passing(cause):
        message = f"The service can't be reached right now; try again (incident {incident})."
        return _replace(error, "UNAVAILABLE", message, incident)
    return _replace(error, "INTERNAL", masked(incident), incident)


def log_incident(place: str, error: BaseException) -> str:
    """Log a bug, and return the ID of the log's entry."""
    incident = secrets.token_hex(6)
    log.error("incident %s at %s", incident, place, exc_info=error)
    return incident


def masked(incident: str) -> str:
    """Return the message that a client gets for a bug."""
    return f"Something went wrong here; quote incident {incident} when you report it."


def say_expired(expires_at: datetime | None) -> str:
    """Say that a token has expired, and when; without a full stop."""
    return f"The token has expired on {expires_at:%Y-%m-%d at %H:%M} UTC"


def _replace(
    error: GraphQLError, code: str, message: str, incident: str | None = None
) -> dict[str, Any]:
    extensions = {"code": code} | ({"incident": incident} if incident else {})
    message = translator().error({"code": code, "message": message})
    return {**error.formatted, "message": message, "extensions": extensions}
