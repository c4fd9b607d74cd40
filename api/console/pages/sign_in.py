"""Signing in by a token, and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from api.console.form import read_form
from api.console.language import ZONE_COOKIE, language_of
from api.console.rendering import render_page, root_of
from api.console.session import COOKIE, context_of, forget_cookie, keep_token
from api.errors import HttpError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_RESUMED = "resumed-"


async def show_sign_in(request: Request) -> Response:
    """Show the form; a token in the address's fragment is filled in by a script."""
    return render_page(
        request,
        language_of(request),
        "sign_in.html",
        next=request.query_params.get("next", ""),
        why=request.query_params.get("why", ""),
        problem=None,
        resume="",
        fields={},
    )


async def sign_in(request: Request) -> Response:
    """Keep a valid token in the cookie, and lead to where the visitor wanted to go."""
    form, root = await read_form(request), root_of(request)
    kept = {name.removeprefix(_RESUMED): form[name] for name in form if name.startswith(_RESUMED)}
    resume = _own_path(form.first("resume"), root)
    wanted = _own_path(form.first("next"), root) or f"{root}/imports"
    token = form.first("token")
    try:
        await context_of(request, token)
    except HttpError as error:
        if error.status != 401:
            raise
        return render_page(
            request,
            language_of(request),
            "sign_in.html",
            401,
            next=wanted,
            why="",
            problem=error.code,
            resume=resume or "",
            fields=kept,
        )
    response: Response
    if resume:
        response = render_page(
            request, language_of(request), "resume.html", resume=resume, fields=kept, next=wanted
        )
    else:
        response = RedirectResponse(wanted, 303)
    keep_token(request, response, token, root)
    if zone := form.first("zone"):
        response.set_cookie(ZONE_COOKIE, zone, path=root, samesite="strict", httponly=True)
    return response


async def sign_out(request: Request) -> Response:
    """Forget the token."""
    root = root_of(request)
    response = RedirectResponse(f"{root}/sign-in?why=signed-out", 303)
    forget_cookie(response, COOKIE, path=root)
    return response


def _own_path(text: str, root: str) -> str | None:
    """Return a path of the console; None for anything that might lead elsewhere.

    Example:
        >>> _own_path("https://a.example/console/users?search=x", "/console")
        '/console/users?search=x'
        >>> _own_path("//a.example/imports", "/console") is None
        True
    """
    at = text.find(f"{root}/")
    path = text[at:] if text.startswith(("http://", "https://")) and at > 0 else text
    return path if path.startswith(f"{root}/") and "\\" not in path and path.isprintable() else None
