"""Downloads: uploaded files, failed rows and samples, these as CSV or as workbooks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response

from api.access.download_links import LANGUAGE, authenticate_download
from api.access.loaders import Loaders
from api.access.scope import Scope
from api.errors import HttpError, bad_request
from api.files.failed_rows_csv import failed_rows_csv
from api.files.failed_rows_workbook import failed_rows_workbook
from api.files.results_csv import results_csv
from api.files.sample_workbook import sample_workbook
from api.files.text_workbook import XLSX_TYPE
from api.http.responses import CountedResponse, language_headers, refusal_of
from api.language import answer_in
from api.schema.importing.import_types import CSV_TYPE
from api.schema.importing.plugin_descriptions import PluginDescription
from api.schema.node import key_of
from importers.language.catalogue import LANGUAGES
from importers.plugins.sample_file import sample_filename
from models.file_part import read_part
from models.imports import ImportStatus
from models.list_facts import find_rows
from models.listing import IMPORTS, has_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from asyncpg import Record
    from starlette.requests import Request

    from api.access.context import Services
    from api.access.quota import ConcurrencyLimit
    from api.schema.importing.plugin_descriptions import ColumnDescription
    from importers.plugins.registry import Registry
    from models.access import TokenRecord

    Answer = Callable[[Request, TokenRecord], Awaitable[Response]]
    Endpoint = Callable[[Request], Awaitable[Response]]

# The largest block that a download holds while its client takes it: a part of a file, or a page of
# failed rows.
_BLOCK_BYTES = 1024 * 1024
# A page of failed rows, and the notes of all of them. It also bounds the files on the disk.
WORKBOOK_BYTES = 8 * 1024 * 1024


def behind_token(answer: Answer) -> Endpoint:
    """Make an endpoint that answers only requests with a valid token, or a link for one use."""

    async def endpoint(request: Request) -> Response:
        language, services = request.query_params.get(LANGUAGE), request.app.state.services
        if language in LANGUAGES:
            answer_in(language, services.registry.translators)
        try:
            response = await answer(request, await authenticate_download(request))
        except Exception as error:
            return refusal_of(error)
        if request.method != "HEAD":
            return response
        bare = Response(headers=dict(response.headers))  # so that it reads no file
        if "Content-Length" not in response.headers:
            del bare.headers["Content-Length"]
        return bare

    return endpoint


async def send_file(request: Request, token: TokenRecord) -> Response:
    """Send an uploaded file, byte by byte as it was uploaded."""
    scope, memory, row = await _open_download(request, token, "file")
    headers = download_headers(row["file_name"], "application/octet-stream")
    headers["Content-Length"] = str(row["file_size"])
    return CountedResponse(_parts(scope, row["id"]), headers, memory.reserve(_BLOCK_BYTES))


async def send_failed_rows(request: Request, token: TokenRecord) -> Response:
    """Send the failed rows of an import that has ended."""
    is_workbook = _wants_workbook(request)
    scope, memory, row = await _open_rows(request, token)
    if not row["failed"]:
        raise HttpError(404, "NOT_FOUND", "No row of this import has failed.")
    stem = f"{_stem(row)}-failed-rows"
    registry: Registry = request.app.state.services.registry
    importer = registry.importers.get(row["type"])
    if not is_workbook:
        headers = download_headers(f"{stem}.csv", CSV_TYPE)
        blocks = failed_rows_csv(scope, row, importer)
        return CountedResponse(blocks, headers, memory.reserve(_BLOCK_BYTES))
    described = await describe_columns(registry, row["type"], scope)
    blocks = failed_rows_workbook(scope, row, importer, described)
    headers = download_headers(f"{stem}.xlsx", XLSX_TYPE)
    return CountedResponse(blocks, headers, memory.reserve(WORKBOOK_BYTES))


async def send_results(request: Request, token: TokenRecord) -> Response:
    """Send all rows of an import that has ended, with what became of them."""
    scope, memory, row = await _open_rows(request, token)
    if not row["total"]:
        raise HttpError(404, "NOT_FOUND", "This import has no rows.")
    headers = download_headers(f"{_stem(row)}-results.csv", CSV_TYPE)
    return CountedResponse(results_csv(scope, row), headers, memory.reserve(_BLOCK_BYTES))


async def send_sample(request: Request, token: TokenRecord) -> Response:
    """Send a type's sample file."""
    is_workbook = _wants_workbook(request)
    name = request.path_params["name"]
    services: Services = request.app.state.services
    importers = services.registry.importers
    key = next((key for key in importers if sample_filename(key) == name), None)
    if key is None:
        raise HttpError(404, "NOT_FOUND", "There is no such sample file.")
    content = await PluginDescription("importer", key, importers[key]).sample()
    if content is None:
        raise HttpError(500, "PLUGIN_ERROR", "The plugin of this type can't write its sample.")
    if not is_workbook:
        return Response(content.encode(), headers=download_headers(name, CSV_TYPE))
    described = await describe_columns(services.registry, key, scope_of(services, token))
    workbook = await sample_workbook(content, described)
    return Response(workbook, headers=download_headers(sample_filename(key, "xlsx"), XLSX_TYPE))


def _wants_workbook(request: Request) -> bool:
    wanted = request.query_params.get("format", "csv")
    if wanted not in ("csv", "xlsx"):
        raise bad_request(f"There is no format {wanted[:20]!r}; there are csv and xlsx.")
    return wanted == "xlsx"


async def describe_columns(
    registry: Registry, key: str, scope: Scope
) -> Sequence[ColumnDescription]:
    """Describe the columns of an import type as the app has them; none if it is not on."""
    importer = registry.importers.get(key)
    if importer is None:
        return []
    roles = [role["key"] for role in await Loaders(scope).roles()]
    return await PluginDescription("importer", key, importer).columns(roles)


def scope_of(services: Services, token: TokenRecord) -> Scope:
    """Return the database as a token sees it."""
    quota = services.quotas.for_token(token.id)
    return Scope(services.pool, token.app_id, quota.connections)


async def _open_download(
    request: Request, token: TokenRecord, what: str
) -> tuple[Scope, ConcurrencyLimit, Record]:
    """Return the database as the token sees it, the token's memory, and the import."""
    services: Services = request.app.state.services
    scope = scope_of(services, token)
    key = key_of("Import", request.path_params["import_id"])
    rows = [] if key is None else await scope.read(find_rows, IMPORTS, has_id([key]))
    if not rows:
        raise HttpError(404, "NOT_FOUND", "There is no such import.")
    if purged_at := rows[0]["purged_at"]:
        message = (
            f"The {what} of this import went on {purged_at:%Y-%m-%d}, when the time was over for "
            "which files and rows are kept. Its counts and the history of its changes stay."
        )
        raise HttpError(410, "GONE", message)
    return scope, services.quotas.for_token(token.id).memory, rows[0]


async def _open_rows(
    request: Request, token: TokenRecord
) -> tuple[Scope, ConcurrencyLimit, Record]:
    """Open the download of rows of an import, which has ended."""
    scope, memory, row = await _open_download(request, token, "rows")
    if not ImportStatus(row["status"]).is_final:
        message = "The import is still running; its rows can be downloaded when it has ended."
        raise HttpError(409, "NOT_FINISHED", message)
    return scope, memory, row


def _stem(row: Record) -> str:
    """Return the name of an import's file without its ending."""
    return str(row["file_name"].rpartition(".")[0] or row["file_name"])


async def _parts(scope: Scope, import_id: int) -> AsyncIterator[bytes]:
    """Yield part after part, without a connection while the client takes one."""
    number = 0
    while (part := await scope.read(read_part, import_id, number)) is not None:
        yield part
        number += 1


def download_headers(filename: str, media_type: str) -> dict[str, str]:
    """Return the headers of a file that a browser saves, and never shows."""
    return {
        "Content-Disposition": content_disposition(filename),
        "Content-Type": media_type,
        # A file may contain anything. With Content-Disposition, these two keep a browser from
        # opening it as a page of this site, with scripts.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        # The content may name people.
        "Cache-Control": "private, no-store",
        **language_headers(),
    }


def content_disposition(filename: str) -> str:
    """Name a download, for clients of any age, whatever the name holds (RFC 6266).

    Example:
        >>> content_disposition('Mai "neu" é.csv')
        'attachment; filename="Mai _neu_ _.csv"; filename*=UTF-8\\'\\'Mai%20%22neu%22%20%C3%A9.csv'
    """
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_"
        for letter in filename
    )
    header = f'attachment; filename="{plain}"'
    return header if plain == filename else f"{header}; filename*=UTF-8''{quote(filename, safe='')}"
