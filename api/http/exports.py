"""Exports: what is stored, in the form of an import type, as CSV or as a workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.access.download_links import LANGUAGE, PARAMETER
from api.errors import HttpError, bad_request
from api.files.export_form import ExportForm
from api.files.export_nouns import EXPORTS
from api.files.export_rows import Export
from api.files.text_workbook import XLSX_TYPE
from api.http.assignment_filters import choose_assignments, shown_name
from api.http.downloads import WORKBOOK_BYTES, describe_columns, download_headers, scope_of
from api.http.responses import CountedResponse
from api.schema.importing.import_types import CSV_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from api.access.context import Services
    from api.access.scope import Scope
    from api.files.export_nouns import ExportNoun
    from importers.plugins.registry import Registry
    from models.access import TokenRecord
    from models.list_query import Condition


async def send_export(request: Request, token: TokenRecord) -> Response:
    """Send assignments, users or cases."""
    noun = EXPORTS.get(request.path_params["noun"])
    extension = request.path_params["extension"]
    if noun is None or extension not in ("csv", "xlsx"):
        raise HttpError(404, "NOT_FOUND", "There is no such file.")
    services: Services = request.app.state.services
    scope = scope_of(services, token)
    memory = services.quotas.for_token(token.id).memory
    asked = _read_parameters(request, noun)
    key = _choose_type(services.registry, noun, asked)
    form = ExportForm(noun, services.registry.importers[key])
    export = await _choose_rows(scope, noun, form, asked)
    filename = f"{key}_export.{extension}"
    if extension == "csv":
        headers = download_headers(filename, CSV_TYPE)
        return CountedResponse(export.as_csv(scope), headers, memory.reserve(noun.page_bytes))
    blocks = await export.as_workbook(scope, await describe_columns(services.registry, key, scope))
    headers = download_headers(filename, XLSX_TYPE)
    return CountedResponse(blocks, headers, memory.reserve(WORKBOOK_BYTES))


def _read_parameters(request: Request, noun: ExportNoun) -> Mapping[str, str]:
    """Read the parameters of the URL.

    Raises:
        HttpError: one is unknown, as a filter that is passed over would export too much, or comes
            twice.
    """
    known = ("type", *noun.filters)
    of_all = (PARAMETER, LANGUAGE)
    pairs = [each for each in request.query_params.multi_items() if each[0] not in of_all]
    asked = dict(pairs)
    if unknown := [name for name in asked if name not in known]:
        these = f"there are {', '.join(known)}" if noun.filters else "there is type"
        raise bad_request(f"There is no parameter {shown_name(unknown[0])}; {these}.")
    if len(asked) < len(pairs):
        raise bad_request("A parameter of the URL comes twice.")
    return asked


def _choose_type(registry: Registry, noun: ExportNoun, asked: Mapping[str, str]) -> str:
    """Return the key of the import type.

    Raises:
        HttpError: it is not one of the noun's, or not on.
    """
    # By class: a plugin may have the key of one of our types, and files of another meaning.
    keys = {type(importer): key for key, importer in registry.importers.items()}
    known = [keys[each] for each in noun.types if each in keys]
    key = asked.get("type", known[0] if known else "")
    if key not in known:
        these = f"the types are {', '.join(known)}" if known else "none is switched on"
        raise bad_request(f"There is no export of type {shown_name(key)}; {these}.")
    return key


async def _choose_rows(
    scope: Scope, noun: ExportNoun, form: ExportForm, asked: Mapping[str, str]
) -> Export:
    listing, parent = noun.listing, None
    conditions: list[Condition] = []
    if noun.filters:
        listing, parent, conditions = await choose_assignments(scope, asked)
    return Export(
        form=form,
        listing=listing,
        parent=scope.app_id if parent is None else parent,
        conditions=conditions,
        page_rows=noun.page_rows,
    )
