"""What a visitor sees instead of a page: a sentence, and a way on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from api.console.form import Form, read_form
from api.console.language import language_of
from api.console.rendering import render_page, root_of
from api.console.session import COOKIE
from api.console.upload_form import is_upload, read_short_upload
from api.language import translator

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.errors import HttpError

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
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = {"next": f"{root}{_place(request)}{query}", "why": why}
    given = {name: value for name, value in wanted.items() if value}
    return RedirectResponse(f"{root}/sign-in?{urlencode(given)}", 303)


async def _read_fields(request: Request) -> Form:
    """Read what was typed; of a form with a file, not the file."""
    if is_upload(request):
        return await read_short_upload(request)
    is_form = "urlencoded" in request.headers.get("content-type", "")
    return await read_form(request) if is_form else Form()


def refuse_page(request: Request, error: HttpError) -> Response:
    """Answer an error by a page that says what is wrong."""
    if FROM_SCRIPT in request.headers:
        return PlainTextResponse(_sentence(error), error.status)
    response = render_page(
        request,
        language_of(request),
        "refusal.html",
        error.status,
        is_missing=error.status == 404,
        may_pass=error.status in (429, 503),
        message=_sentence(error),
    )
    response.headers.update(error.headers or {})
    return response


def _sentence(error: HttpError) -> str:
    """Write what is wrong in the visitor's language."""
    return translator().error(error.as_dict())


def _ask_again() -> Response:
    """Load the page again from itself.

    A link in a mail or on another site opens the page without the cookie, which is
    `SameSite=Strict`; a request that our own page begins has it.
    """
    return HTMLResponse(_AGAIN, headers={"Cache-Control": "no-store"})


def _place(request: Request) -> str:
    """Return the path of a request below the console's."""
    path: str = request.scope["path"]
    return path[len("/console") :]
