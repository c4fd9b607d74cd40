"""Which web pages of other sites may use the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api.http.multipart.request import PREFLIGHT_HEADERS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.datastructures import Headers

_REMEMBERED_SECONDS = 600
# What tracing (W3C, Sentry) and Apollo Client add to every request.
_USUAL_HEADERS = (
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    "apollographql-client-name",
    "apollographql-client-version",
)


def is_welcome(headers: Headers, origins: Collection[str]) -> bool:
    """Tell whether a WebSocket may be opened from where it is opened.

    A browser opens one for a page of any site without asking (there is no CORS for WebSockets), and
    names the site as the origin. Clients other than browsers send no origin.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return True
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == headers.get("host", "").lower()


def cors(origins: Sequence[str], headers: Sequence[str]) -> list[Middleware]:
    """Allow browsers to send requests for pages of these origins, also with these headers."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", *PREFLIGHT_HEADERS, *_USUAL_HEADERS, *headers],
            # Without this, scripts of other sites can read neither a download's name nor the wait.
            expose_headers=["Content-Disposition", "Retry-After"],
            max_age=_REMEMBERED_SECONDS,
        )
    ]
