"""What a visitor sees instead of a page: a sentence, and a way on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from api.console.form import Form, read_form
from api.console.language import language_of
from api.console.rendering import render_page, root_of
from api.console.session import COOKIE
from api.console.upload_form import is_upload, read_short_upload
from api.errors import HttpError
from api.language import translator

if TYPE_CHECKING:
    from starlette.requests import Request

# Scripts of our pages send it: they show the sentence, not a page.
FROM_SCRIPT = "x-requested-with"
_AGAIN = '<!doctype html><meta http-equiv="refresh" content="0"><title>Caseroll</title>'


async def ask_to_sign_in(request: Request, error: HttpError) -> Response:
    """Lead to the sign-in page and back; a form's fields are kept on the way."""
    if FROM_SCRIPT in request.headers or "text/event-stream" in request.headers.get("accept", ""):
        return PlainTextResponse(_sentence(error), 401)
    root = root_of(request)
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        return _ask_again()
    why = "expired" if error.code == "TOKEN_EXPIRED" else ""
    if request.method == "POST":
        fields = await _read_fields(request)
        return render_page(
            request,
            language_of(request),
            "sign_in.html",
            401,
            next=request.headers.get("referer", ""),
            why=why or ("ended" if fields else "lost"),
            problem=None,
            resume=root + _place(request),
            fields=fields,
        )
    if COOKIE in request.cookies:
        why = why or "refused"
    wanted = {"next": _address(request), "why": why}
    given = {name: value for name, value in wanted.items() if value}
    return RedirectResponse(f"{root}/sign-in?{urlencode(given)}", 303)


async def _read_fields(request: Request) -> Form:
    """Read what was typed; of a form with a file, not the file."""
    if is_upload(request):
        return await read_short_upload(request)
    is_form = "urlencoded" in request.headers.get("content-type", "")
    return await read_form(request) if is_form else Form()


async def refuse_page(request: Request, error: HttpError) -> Response:
    """Answer an error by a page that says what is wrong.

    If it may pass, a form that was sent can be sent again from there, as it was typed.
    """
    if FROM_SCRIPT in request.headers:
        return PlainTextResponse(_sentence(error), error.status)
    may_pass = error.status in (429, 503)
    response = render_page(
        request,
        language_of(request),
        "refusal.html",
        error.status,
        is_missing=error.status == 404,
        may_pass=may_pass,
        message=_sentence(error),
        place=_address(request),
        fields=await _read_fields_again(request) if may_pass else None,
        # What was refused for its number was not begun.
        may_be_done=error.status != 429,
    )
    response.headers.update(error.headers or {})
    return response


async def _read_fields_again(request: Request) -> Form | None:
    """Read what a form can be sent again with; None with a file, or the token of a sign-in."""
    is_own = request.method == "POST" and not request.url.path.endswith("/sign-in")
    if not is_own or is_upload(request):
        return None
    try:
        return await _read_fields(request)
    except (HttpError, ClientDisconnect):
        # It came too slowly or not at all, or is none of our forms.
        return None


def _sentence(error: HttpError) -> str:
    """Write what is wrong in the visitor's language."""
    return translator().error(error.as_dict())


def _ask_again() -> Response:
    """Load the page again from itself.

    A link in a mail or on another site opens the page without the cookie, which is
    `SameSite=Strict`; a request that our own page begins has it.
    """
    return HTMLResponse(_AGAIN, headers={"Cache-Control": "no-store"})


def _address(request: Request) -> str:
    """Return the path of a request as the browser sees it, with its parameters."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{root_of(request)}{_place(request)}{query}"


def _place(request: Request) -> str:
    """Return the path of a request below the console's."""
    path: str = request.scope["path"]
    return path[len("/console") :]
