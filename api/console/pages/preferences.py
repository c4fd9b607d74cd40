"""The visitor's choice of a language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from api.console.form import read_form
from api.console.language import LANGUAGE_COOKIE
from api.console.rendering import root_of
from importers.language.catalogue import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_YEAR = 365 * 24 * 3600


async def change_language(request: Request) -> Response:
    """Keep the language for a year, and lead back to the page."""
    form, root = await read_form(request), root_of(request)
    response = RedirectResponse(_back(request, root), 303)
    if (code := form.first("language")) in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, code, _YEAR, path=root, samesite="strict")
    return response


def _back(request: Request, root: str) -> str:
    """Return the page that the form was on."""
    _, found, rest = request.headers.get("referer", "").partition(f"{root}/")
    return f"{root}/{rest}" if found else f"{root}/imports"
