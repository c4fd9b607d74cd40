"""A new import: the form, what its file shows, and the upload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from api.console.form import read_form
from api.console.operation import run_upload
from api.console.pages.importing.new_import_form import (
    ENCODINGS,
    empty_form,
    import_input,
    import_types,
    problems_by_field,
    with_new_key,
)
from api.console.pages.refusal import FROM_SCRIPT
from api.console.upload_form import is_upload, receive_upload, refuse_viewer
from api.errors import HttpError
from api.language import translator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.console.form import Form
    from api.console.upload_form import UploadForm
    from api.console.visit import Visit

# Statuses of a body that can't be read to its end.
_BODY_REFUSED = (400, 408, 413)


async def show_new_import(visit: Visit) -> Response:
    """Show the form, with the type that the address names."""
    return await _show_form(visit, empty_form(visit.argument("type")), {})


async def send_new_import(visit: Visit) -> Response:
    """Create the import while its file arrives, and lead to it."""
    if not is_upload(visit.request):
        return await _resume_form(visit)
    with receive_upload(visit) as form:
        try:
            payload = await _create(visit, form)
        except HttpError as error:
            if error.status not in _BODY_REFUSED:
                raise
            problem = _file_problem(translator().error(error.as_dict()), error.code)
            return await _show_problems(visit, form.fields, [problem], error.status)
        fields = form.fields
    if payload["userErrors"]:
        return await _show_problems(visit, fields, payload["userErrors"])
    # A rehearsal changes nothing, however often it runs.
    is_repeat_meant = "again" in fields or fields.first("then") != "run"
    return _lead_on(visit, payload, is_repeat_meant=is_repeat_meant)


async def show_same_file(visit: Visit) -> Response:
    """Say that an import which is running has the file of an earlier one."""
    ids = visit.argument("import") or "", visit.argument("earlier") or ""
    data = await visit.run("same_file", new=ids[0], earlier=ids[1])
    if not (data["import"] and data["earlier"]):
        return visit.go("imports")
    return visit.page("same_file.html", data=data, new=data["import"], earlier=data["earlier"])


async def _create(visit: Visit, form: UploadForm) -> dict[str, Any]:
    await form.read_fields(last="then")
    if form.file is None:
        return {"userErrors": [_file_problem(visit.language.text("Choose a file."))]}
    values = import_input(form.fields, form.file)
    data = await run_upload(visit.context, "create_import", {"input": values}, form.body)
    payload: dict[str, Any] = data["createImport"]
    return payload


def _lead_on(visit: Visit, payload: Mapping[str, Any], *, is_repeat_meant: bool) -> Response:
    """Lead to the import; on the way, say of which other one it has the file."""
    key, place = payload["import"]["id"], f"imports/{payload['import']['id']}"
    address = visit.address(place)
    earlier = payload["warnings"][0]["import"] if payload["warnings"] else None
    # What was undone is imported again on purpose.
    if earlier and not earlier["undoneBy"] and not is_repeat_meant:
        ids = {"import": key, "earlier": earlier["id"]}
        address = visit.address("imports/new/same-file", **ids)
    # A script would follow the redirection by itself, and load the page twice.
    status = 201 if FROM_SCRIPT in visit.request.headers else 303
    return Response(status_code=status, headers={"Location": address})


async def _resume_form(visit: Visit) -> Response:
    """Show what was typed before the visitor had to sign in; browsers keep no file."""
    refuse_viewer(visit)
    fields = await read_form(visit.request)
    message = visit.language.text("Choose the file again; everything else is as you left it.")
    return await _show_problems(visit, fields, [_file_problem(message)])


def _file_problem(message: str, code: str = "") -> dict[str, Any]:
    """Return what a mutation would say of the file."""
    return {"code": code, "message": message, "field": ["input", "file"]}


async def _show_problems(
    visit: Visit, fields: Form, errors: Sequence[Mapping[str, Any]], status: int = 422
) -> Response:
    return await _show_form(
        visit, with_new_key(fields, errors), problems_by_field(errors), status=status
    )


async def _show_form(
    visit: Visit, form: Form, problems: Mapping[str, Any], status: int = 200
) -> Response:
    data = await visit.run("new_import")
    return visit.page(
        "new_import.html",
        status,
        data=data,
        types=import_types(data["importTypes"]),
        form=form,
        problems=problems,
        encodings=ENCODINGS,
        most_bytes=visit.context.services.settings.limits.max_bytes,
    )
