"""Looking at a file before it is imported."""

from __future__ import annotations

import asyncio
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
from importers.reading.choose_reader import choose_reader
from importers.rows.preview import preview_header
from importers.sdk.errors import FileRefusedError
from models.new_import import find_mapped, find_same_file

if TYPE_CHECKING:
    from importers.reading.beginning import Beginning
    from importers.reading.limits import Limits
    from importers.rows.header_mapping import HeaderMapping
    from importers.sdk.importer import Importer

_SHA256 = re.compile("[0-9a-f]{64}")
# Other files than text are read by a child process that takes a processor: clients wait in turn
# for two.
_children = ThreadPoolExecutor(2, thread_name_prefix="preview")
_CHILD_SECONDS = 20


@strawberry.input(description="A file to look at, and what its import is to say of it.")
class PreviewFileInput:
    file: UploadedFile = field(
        description="The file. Of CSV text, the first 64 KiB do: no more is read. A workbook "
        "(.xlsx, .ods), or a file that a reader of a plugin takes, is sent whole."
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


class _Received(NamedTuple):
    """How many bytes the whole file has, and whether all of them are needed to read it."""

    size: int
    needs_all: bool


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
    received = None if errors.found else await _receive(context, values, errors)
    if received is None or errors.found:
        return PreviewFilePayload(user_errors=errors.found)
    beginning = await _read_file(context, values.file, wish, received)
    if _is_out_of_time(beginning, context.services.settings.limits):
        message = (
            f"The file takes more than {_CHILD_SECONDS} seconds to read, too long for a "
            "preview; it can be imported all the same."
        )
        errors.add("PREVIEW_TOO_SLOW", "file", message)
        return PreviewFilePayload(user_errors=errors.found)
    types = list(context.services.registry.importers.values())
    header = preview_header(beginning.table, wish.importer, types, wish.mapping)
    suggested = header.suggested_type and ImportType.of(context, header.suggested_type)
    preview = show_preview(beginning, header, suggested or None)
    preview.mapped_before = await _find_mapped(context, beginning, wish)
    preview.same_file = await _find_same_file(context, values.file, wish, received)
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


async def _receive(context: Context, values: PreviewFileInput, errors: InputErrors) -> _Received:
    """Wait for as much of the file as is read."""
    file, most = values.file, context.services.settings.limits.max_bytes
    await file.arrive(HEAD_BYTES + 1)
    needs_all = await _needs_all(context, file)
    if needs_all:
        await file.arrive(most + 1)
        if file.size < (values.size or 0):
            message = "A file that is no CSV text can be looked at only if all of it is sent."
            errors.add("WHOLE_FILE_NEEDED", "file", message)
    size = max(file.size, values.size or 0)
    if size > most:
        errors.add("TOO_LARGE", "file", too_large(most).message)
    return _Received(size, needs_all)


async def _needs_all(context: Context, file: UploadedFile) -> bool:
    """Tell whether the file can be read only when all of it has come."""
    readers = context.services.registry.readers
    try:
        reader = await asyncio.to_thread(choose_reader, file.head(), file.name, readers)
    except FileRefusedError:
        return False
    return reader.needs_all


async def _read_file(
    context: Context, file: UploadedFile, wish: _Wish, received: _Received
) -> Beginning:
    limits = context.services.settings.limits
    read = partial(
        read_beginning,
        filename=file.name,
        encoding=wish.encoding,
        size=received.size,
        limits=limits,
        readers=context.services.registry.readers,
    )
    if not received.needs_all:
        # A copy: the rest of the file may still be arriving in `content`.
        return await asyncio.to_thread(read, io.BytesIO(file.head()))
    seconds = min(limits.workbook_seconds, _CHILD_SECONDS)
    read.keywords["limits"] = replace(limits, workbook_seconds=seconds)
    return await asyncio.get_running_loop().run_in_executor(_children, read, file.content)


def _is_out_of_time(beginning: Beginning, limits: Limits) -> bool:
    """Tell whether a file takes too long for a preview, but perhaps not for an import."""
    is_short = limits.workbook_seconds > _CHILD_SECONDS
    return is_short and any("seconds" in error.params for error in beginning.unreadable)


async def _find_mapped(context: Context, beginning: Beginning, wish: _Wish) -> Import | None:
    table = beginning.table
    if table is None or wish.importer is None or wish.mapping.as_stored():
        return None
    key = await context.scope.read(find_mapped, wish.importer.key, table.header)
    return await load_import(context, key) if key else None


async def _find_same_file(
    context: Context, file: UploadedFile, wish: _Wish, received: _Received
) -> Import | None:
    # Of a longer text it is chance whether the rest has come.
    is_known = received.needs_all or received.size <= HEAD_BYTES
    is_received = is_known and file.size == received.size
    sha256 = wish.sha256 or (file.sha256() if is_received else None)
    if not (sha256 and wish.importer):
        return None
    key = await context.scope.read(find_same_file, wish.importer.key, sha256)
    return await load_import(context, key) if key else None
