"""Groups of problems that a visitor leaves as they are, kept in a cookie of that import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.console.form import read_form
from api.console.pages.problems.group_key import decode_group
from api.console.session import keep_cookie

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit

_COOKIE = "caseroll_left_out"
# Browsers keep 4 KB in a cookie; a mark has ten letters.
_MOST = 300
# An import is mended within days; its failed rows are kept for some months.
_MOST_SECONDS = 90 * 24 * 3600


def left_out_groups(visit: Visit) -> list[str]:
    """Return the marks of the groups that are left out."""
    return [mark for mark in visit.request.cookies.get(_COOKIE, "").split(".") if mark]


async def leave_out(visit: Visit) -> Response:
    """Leave a group out, take one back in, or all; the rows stay as they are."""
    form = await read_form(visit.request)
    place = f"imports/{visit.path('import_id')}"
    response = visit.go(f"{place}/problems")
    key, back = decode_group(form.first("group")), decode_group(form.first("back"))
    marks = left_out_groups(visit) if key or back else []
    if key:
        marks.append(key.mark())
    if back:
        marks = [mark for mark in marks if mark != back.mark()]
    kept, path = ".".join(dict.fromkeys(marks[-_MOST:])), f"{visit.root}/{place}"
    keep_cookie(visit.request, response, _COOKIE, kept, path=path, seconds=_MOST_SECONDS)
    return response
