"""Links to downloads: made for a token, and used once in its place."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from api.access.authentication import admit, authenticate, unavailable
from api.errors import HttpError
from api.language import translator
from importers.language.catalogue import ENGLISH
from models.app import TOKEN_PREFIX, token_digest
from models.db import connection, is_passing
from models.download_link import add_link, use_link

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from starlette.requests import Request

    from api.access.context import Context, Services
    from models.access import TokenRecord

PARAMETER = "link"
"""The parameter of a URL that has a link's secret."""

LANGUAGE = "locale"
"""The parameter of a URL that has the language of a download, as a browser's may be another one."""

FILES = "/files/"
"""What the paths of all downloads begin with."""

_SECONDS = 60


class MadeLink(NamedTuple):
    url: str
    expires_at: datetime


async def make_link(context: Context, path: str) -> MadeLink:
    """Make a link to a download for the operation's token.

    Args:
        path: of the download, with its parameters.
    """
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    if translator().language != ENGLISH:
        path = _with_parameter(path, LANGUAGE, translator().language)
    parts = urlsplit(path)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    expires_at = await context.scope.write(
        add_link,
        token_id=context.token.id,
        digest=_link_digest(secret, unquote(parts.path), pairs),
        seconds=_SECONDS,
    )
    return MadeLink(_with_parameter(path, PARAMETER, secret), expires_at)


def _with_parameter(path: str, name: str, value: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{urlencode({name: value})}"


async def authenticate_download(request: Request) -> TokenRecord:
    """Find the token of a request for a download: its own, or that of its link.

    Raises:
        HttpError: as `authenticate` does, or there is a link that does not work.
    """
    if PARAMETER not in request.query_params or "authorization" in request.headers:
        return await authenticate(request)
    services: Services = request.app.state.services
    try:
        async with connection() as db:
            # HEAD, by which some browsers ask what is coming, uses nothing up.
            found = await use_link(db, _digest_of(request), is_kept=request.method == "HEAD")
        token = await services.tokens.find(found) if found else None
    except Exception as error:
        if not is_passing(error):
            raise
        raise unavailable() from error
    if found is None:
        # One answer for all that may be wrong: a finder of a used link learns nothing.
        message = "This link does not work: each works once, within a minute. Ask for a new one."
        raise HttpError(404, "NOT_FOUND", message)
    return admit(services.quotas, token)


def _digest_of(request: Request) -> str:
    secret = request.query_params[PARAMETER]
    pairs = request.query_params.multi_items()
    others = [(name, value) for name, value in pairs if name != PARAMETER]
    return _link_digest(secret, request.scope["path"], others)


def _link_digest(secret: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Hash a secret together with what it opens: for another path it is another digest."""
    return token_digest(f"{secret} {path}?{urlencode(pairs)}")
