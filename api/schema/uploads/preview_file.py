"""Looking at a file before it is imported."""

from __future__ import annotations

import asyncio
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.schema.importing.column_mapping import ColumnMappingInput, read_mapping
from api.schema.importing.import_types import ImportType
from api.schema.importing.imports import Import, load_import
from api.schema.input_errors import InputErrors, UserError
from api.schema.uploads.file_preview import FilePreview, show_preview
from api.schema.uploads.import_input import ENCODING_LONGEST, find_importer, too_large
from api.schema.uploads.upload import UploadedFile
from importers.reading.beginning import HEAD_BYTES, read_beginning
from importers.reading.sniff import is_workbook
from importers.rows.preview import preview_header
from models.new_import import find_mapped, find_same_file

if TYPE_CHECKING:
    from importers.reading.beginning import Beginning
    from importers.reading.limits import Limits
    from importers.rows.header_mapping import HeaderMapping
    from importers.sdk.importer import Importer

_SHA256 = re.compile("[0-9a-f]{64}")
# Each workbook is read by a child process that takes a processor: clients wait in turn for two.
_workbooks = ThreadPoolExecutor(2, thread_name_prefix="preview")
_WORKBOOK_SECONDS = 20


@strawberry.input(description="A file to look at, and what its import is to say of it.")
class PreviewFileInput:
    file: UploadedFile = field(
        description="The CSV file or workbook (.xlsx, .ods). Of a text, the first 64 KiB do: no "
        "more is read. A workbook is sent whole."
    )
    type: str | None = field(
        default=None,
        description="Key of the import type; without one, the answer says which type it may be.",
    )
    size: int | None = field(
        default=None,
        description="How many bytes the whole file has, if `file` is only its beginning.",
    )
    sha256: str | None = field(
        default=None,
        description="SHA-256 of the whole file in hexadecimal, to learn whether it was imported.",
    )
    encoding: str | None = field(default=None, description="As in `createImport`.")
    columns: list[ColumnMappingInput] | None = field(
        default=None, description="As in `createImport`."
    )
    ignore_columns: list[str] | None = field(default=None, description="As in `createImport`.")


@strawberry.type(description="What a file shows.")
class PreviewFilePayload:
    preview: FilePreview | None = field(
        default=None, description="What the file shows; null after errors."
    )
    user_errors: list[UserError] = field(
        default_factory=list,
        description="What was wrong with the request. What is wrong with the file is in `preview`.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """The input, once it is read."""

    importer: Importer | None
    encoding: str | None
    sha256: str | None
    mapping: HeaderMapping


@strawberry.mutation(
    description="Look at a file before it is imported, by a GraphQL multipart request: how it is "
    "read, its first rows under the type's columns, and what it would be refused for. Nothing is "
    "created or kept."
)
async def preview_file(
    info: Info,
    values: Annotated[
        PreviewFileInput, argument(name="input", description="The file and what it is.")
    ],
) -> PreviewFilePayload:
    context = info.context
    errors = InputErrors()
    wish = _read_wish(context, values, errors)
    size = 0 if errors.found else await _receive(context, values, errors)
    if errors.found:
        return PreviewFilePayload(user_errors=errors.found)
    beginning = await _read_file(context, values.file, wish, size)
    if _is_out_of_time(beginning, context.services.settings.limits):
        message = (
            f"The workbook takes more than {_WORKBOOK_SECONDS} seconds to read, too long for a "
            "preview; it can be imported all the same."
        )
        errors.add("PREVIEW_TOO_SLOW", "file", message)
        return PreviewFilePayload(user_errors=errors.found)
    types = list(context.services.registry.importers.values())
    header = preview_header(beginning.table, wish.importer, types, wish.mapping)
    suggested = header.suggested_type and ImportType.of(context, header.suggested_type)
    preview = show_preview(beginning, header, wish.mapping, suggested or None)
    preview.mapped_before = await _find_mapped(context, beginning, wish)
    preview.same_file = await _find_same_file(context, values.file, wish, size)
    return PreviewFilePayload(preview=preview)


def _read_wish(context: Context, values: PreviewFileInput, errors: InputErrors) -> _Wish:
    importer = None
    if values.type is not None:
        importer = find_importer(context, values.type, errors)
    sha256 = (values.sha256 or "").strip().lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        errors.add("INVALID_SHA256", "sha256", "A SHA-256 has 64 hexadecimal digits.")
    encoding = errors.text("encoding", values.encoding, longest=ENCODING_LONGEST)
    return _Wish(
        importer=importer,
        encoding=encoding or None,
        sha256=sha256 or None,
        mapping=read_mapping(values.columns, values.ignore_columns, importer, errors),
    )


async def _receive(context: Context, values: PreviewFileInput, errors: InputErrors) -> int:
    """Wait for as much of the file as is read; return how many bytes the whole file has."""
    file, most = values.file, context.services.settings.limits.max_bytes
    await file.arrive(HEAD_BYTES + 1)
    if is_workbook(file.head()):
        await file.arrive(most + 1)
        if file.size < (values.size or 0):
            message = "A workbook can be looked at only if all of it is sent."
            errors.add("WHOLE_FILE_NEEDED", "file", message)
    size = max(file.size, values.size or 0)
    if size > most:
        errors.add("TOO_LARGE", "file", too_large(most).message)
    return size


async def _read_file(context: Context, file: UploadedFile, wish: _Wish, size: int) -> Beginning:
    limits, head = context.services.settings.limits, file.head()
    read = partial(
        read_beginning, filename=file.name, encoding=wish.encoding, size=size, limits=limits
    )
    if not is_workbook(head):
        # A copy: the rest of the file may still be arriving in `content`.
        return await asyncio.to_thread(read, io.BytesIO(head))
    seconds = min(limits.workbook_seconds, _WORKBOOK_SECONDS)
    read.keywords["limits"] = replace(limits, workbook_seconds=seconds)
    return await asyncio.get_running_loop().run_in_executor(_workbooks, read, file.content)


def _is_out_of_time(beginning: Beginning, limits: Limits) -> bool:
    """Tell whether a workbook takes too long for a preview, but perhaps not for an import."""
    is_short = limits.workbook_seconds > _WORKBOOK_SECONDS
    return is_short and any("seconds" in error.params for error in beginning.unreadable)


async def _find_mapped(context: Context, beginning: Beginning, wish: _Wish) -> Import | None:
    table = beginning.table
    if table is None or wish.importer is None or wish.mapping.as_stored():
        return None
    key = await context.scope.read(find_mapped, wish.importer.key, table.header)
    return await load_import(context, key) if key else None


async def _find_same_file(
    context: Context, file: UploadedFile, wish: _Wish, size: int
) -> Import | None:
    # Of a longer text it is chance whether the rest has come.
    is_received = file.size == size and (size <= HEAD_BYTES or is_workbook(file.head()))
    sha256 = wish.sha256 or (file.sha256() if is_received else None)
    if not (sha256 and wish.importer):
        return None
    key = await context.scope.read(find_same_file, wish.importer.key, sha256)
    return await load_import(context, key) if key else None
