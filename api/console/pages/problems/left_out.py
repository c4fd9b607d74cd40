"""Groups of problems that a visitor has left out of the view, kept in a cookie of that import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.console.form import read_form
from api.console.pages.problems.group_key import decode_group

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit

_COOKIE = "caseroll_left_out"
# Browsers keep 4 KB in a cookie; a mark has ten letters.
_MOST = 300


def left_out_groups(visit: Visit) -> list[str]:
    """Return the marks of the groups that are left out."""
    return [mark for mark in visit.request.cookies.get(_COOKIE, "").split(".") if mark]


async def leave_out(visit: Visit) -> Response:
    """Leave a group out of the view, or show all again; the rows stay as they are."""
    form = await read_form(visit.request)
    place = f"imports/{visit.path('import_id')}"
    response = visit.go(f"{place}/problems")
    key = decode_group(form.first("group"))
    marks = [*left_out_groups(visit), key.mark()][-_MOST:] if key else []
    response.set_cookie(
        _COOKIE,
        ".".join(dict.fromkeys(marks)),
        path=f"{visit.root}/{place}",
        httponly=True,
        samesite="strict",
        secure=visit.request.url.scheme == "https",
    )
    return response
