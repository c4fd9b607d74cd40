"""Failed rows tried again: those that were edited, those of a group, or all."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from api.console.form import Form, read_form
from api.console.pages.problems.group_key import decode_group
from api.console.pages.problems.problems import RefusedRetry, show_problems
from api.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from api.console.pages.problems.group_key import GroupKey
    from api.console.visit import Visit


async def try_again(visit: Visit) -> Response:
    """Run failed rows again, and show how they do."""
    form = await read_form(visit.request)
    place = visit.path("import_id")
    data = await visit.run("retry_import", id=place, **retry_variables(form))
    errors = data["retryImport"]["userErrors"]
    if {error["code"] for error in errors} == {"NOT_FINISHED"}:
        # The form was sent twice, or others have been faster: the page shows how these rows do.
        return visit.go(f"imports/{place}/problems")
    if errors:
        return await show_problems(visit, RefusedRetry(errors=errors, cells=form))
    return visit.go(f"imports/{place}/problems", tried="1")


def retry_variables(form: Form) -> dict[str, Any]:
    """Return the arguments of `retryImport` that a form of the page means.

    Its fields are `cell.12.user_id`: new cells of rows, unless `was.12.user_id` is the same; or
    `group`, and `column` and `use`: the group's new cell; or `all`, and `except`: groups that are
    left out.

    Raises:
        HttpError: it is none of these; to run all rows again must have been meant.
    """
    if rows := _corrections(form):
        return {"rows": rows}
    if group := decode_group(form.first("group")):
        cell = {"column": form.first("column"), "value": form.first("use")}
        return {"where": group._asdict(), "set": [cell] if "use" in form else None}
    if "all" in form:
        return _all_but([decode_group(text) for text in form.get("except", ())])
    raise bad_request("The form does not say which rows are to be tried again.")


def _all_but(left_out: Sequence[GroupKey | None]) -> dict[str, Any]:
    keys = [key._asdict() for key in left_out if key]
    if len(keys) < len(left_out):
        raise bad_request("The form does not say which rows are to be left out.")
    return {"except": keys} if keys else {}


def _corrections(form: Form) -> list[dict[str, Any]]:
    """Collect new cells by their row.

    A cell that was not changed is not sent: what a workbook's cell holds may be more than its text.
    """
    cells: dict[int, list[dict[str, str]]] = defaultdict(list)
    for name, values in form.items():
        kind, _, rest = name.partition(".")
        number, _, column = rest.partition(".")
        if not (kind == "cell" and number.isascii() and number.isdigit()):
            continue
        row = cells[int(number)]
        if form.get(f"was.{rest}") != values:
            row.append({"column": column, "value": values[0]})
    return [{"number": number, "cells": each} for number, each in cells.items()]
