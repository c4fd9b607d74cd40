"""Sessions: a token in a cookie that opens the console alone, and forms of our own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.access.authentication import admit, find_bearer
from api.access.context import Context
from api.errors import HttpError
from api.http.same_origin import is_welcome

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from api.access.context import Services

COOKIE = "caseroll_token"


async def open_session(request: Request) -> Context:
    """Find the token of a request's cookie, and count the request.

    Raises:
        HttpError: there is none, or it is not valid any more, or has sent too many requests.
    """
    return await context_of(request, request.cookies.get(COOKIE, ""))


async def context_of(request: Request, token: str) -> Context:
    """Find a token, as a request to `/graphql` does.

    Raises:
        HttpError: as `open_session` does.
    """
    services: Services = request.app.state.services
    found = await find_bearer(services.tokens, f"Bearer {token}")
    return Context(services, admit(services.quotas, found))


def keep_token(request: Request, response: Response, token: str, root: str) -> None:
    """Set the cookie, until the browser is closed."""
    keep_cookie(request, response, COOKIE, token, path=root)


def keep_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    path: str,
    seconds: int | None = None,
) -> None:
    """Set a cookie that neither scripts nor other sites get at.

    `SameSite=Strict` keeps it from requests that other sites begin, and the path from `/graphql`
    and `/files`, where a cookie means nothing.

    Args:
        seconds: how long it is kept; None until the browser is closed.
    """
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def forget_cookie(response: Response, name: str, *, path: str) -> None:
    """Clear a cookie."""
    response.delete_cookie(name, path=path, httponly=True, samesite="strict")


def check_origin(request: Request) -> None:
    """Refuse a form that was not sent from a page of this server.

    Browsers say where a request comes from in `Sec-Fetch-Site`; older ones in `Origin`.

    Raises:
        HttpError: it comes from elsewhere, or does not say.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = "origin" in request.headers and is_welcome(request.headers, ())
    if not is_own:
        message = "This form was not sent from a page of this console. Open the page and try again."
        raise HttpError(403, "FORBIDDEN", message)
