"""Web pages of other sites, and whether they may use the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api.http.multipart_request import PREFLIGHT_HEADERS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.datastructures import Headers

_REMEMBERED_SECONDS = 600


def is_welcome(headers: Headers, origins: Collection[str]) -> bool:
    """Tell whether the page that opens a WebSocket is one of ours; what is no page says no origin.

    Browsers ask nobody before they open one, so it is for the server to refuse.

    Args:
        headers: of the request.
        origins: other sites that may.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return True
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == headers.get("host", "").lower()


def cors(origins: Sequence[str]) -> list[Middleware]:
    """Let browsers use the API on pages of these origins; of other sites they won't."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", *PREFLIGHT_HEADERS],
            expose_headers=["Content-Disposition", "Retry-After"],
            max_age=_REMEMBERED_SECONDS,
        )
    ]
