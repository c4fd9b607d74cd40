"""Users and cases that are looked up while a Tag ID is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from api.console.paging import nodes
from api.console.rendering import render
from api.console.shown_text import name_of_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from api.console.language import Language
    from api.console.visit import Visit

_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


async def look_up(visit: Visit) -> Response:
    """Answer with an `<option>` for each user or case that is found."""
    wanted = visit.arguments("names")
    data = await visit.run(
        "lookup",
        search=visit.argument("search") or "",
        cases="case" in wanted,
        users="user" in wanted,
    )
    options = lookup_options(visit.language, data)
    text = render(visit.language, "parts/options.html", root=visit.root, options=options)
    return HTMLResponse(text, headers=_HEADERS)


def lookup_options(language: Language, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what to write into a cell, and how a person knows it, for each object found."""
    users = [
        (user, name_of_user(user), "DISABLED") for user in nodes(data.get("users") or {"edges": []})
    ]
    cases = [(case, case["about"], "CLOSED") for case in nodes(data.get("cases") or {"edges": []})]
    words = {"DISABLED": language.text("disabled"), "CLOSED": language.text("closed")}
    return [
        (each["tagId"] or each["id"], f"{text} ({words[end]})" if each["status"] == end else text)
        for each, text, end in [*users, *cases]
    ]
