"""Creating an import: the checks that an upload goes through before it is accepted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import strawberry

from api.entry import Problems
from api.errors import ApiError
from api.imports import Import, load_import
from api.upload import HEAD_BYTES, UploadedFile
from api.user_error import UserError, user_error
from importers.base import header_spec
from importers.errors import ErrorDetail, FileRefusedError
from importers.header import match_header
from importers.table import check_head
from models.new_import import NewImport, find_repeated, insert_import, is_name_in_use

if TYPE_CHECKING:
    from api.context import Context
    from importers.base import Importer

_NAME_LONGEST = 200
_SOURCE_LONGEST = 50
_ENCODING_LONGEST = 40
_KEY_LONGEST = 200
_DEFAULT_SOURCE = "api"


@strawberry.input(description="A file, and what is to be done with it.")
class CreateImportInput:
    """An upload."""

    name: str = strawberry.field(
        description="What to call the import: up to 200 characters, unique in the app among "
        "imports that are not finished."
    )
    type: str = strawberry.field(description="Key of the import type.")
    file: UploadedFile = strawberry.field(description="The CSV file or Excel workbook (.xlsx).")
    source: str | None = strawberry.field(
        default=_DEFAULT_SOURCE, description="Where it comes from: `api`, `cli`, `console`."
    )
    dry_run: bool | None = strawberry.field(
        default=False, description="Try the rows out, and change nothing."
    )
    encoding: str | None = strawberry.field(
        default=None,
        description="The file's encoding, such as `windows-1252`, when it is neither UTF-8 nor "
        "UTF-16 with a byte order mark.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Any text that is new for each upload. Sent once more, with the same file, it "
        "returns the same import instead of making another.",
    )


@strawberry.type(description="What came of an upload.")
class CreateImportPayload:
    """The import, or what was wrong."""

    import_: Import | None = strawberry.field(
        name="import", description="The import that was created; null after errors."
    )
    user_errors: list[UserError] = strawberry.field(
        description="What was wrong; when there is anything, nothing has been created."
    )


async def create_import(context: Context, values: CreateImportInput) -> CreateImportPayload:
    """Accept a file, or say everything that is wrong with it and its description."""
    problems = Problems()
    new = await _describe(context, values, problems)
    has_good_name = not any(error.field == ["input", "name"] for error in problems.found)
    if not problems.found and new.idempotency_key:
        found = await context.scope.read(find_repeated, new.idempotency_key)
        if found:
            return await _repeat(context, new, *found)
    problems.found += await _file_problems(context, values)
    is_taken = has_good_name and await context.scope.read(is_name_in_use, new.name)
    if is_taken and not problems.found:
        return await _come_second(context, new)
    if is_taken:
        problems.found.append(_name_taken(new.name))
    if problems.found:
        return CreateImportPayload(import_=None, user_errors=problems.found)
    key = await context.scope.write(insert_import, new, values.file.content)
    if key is None:
        return await _come_second(context, new)
    await context.services.doorbell.split(key)
    await context.services.doorbell.changed(context.token.app_id, key)
    return await _payload(context, key)


async def _describe(context: Context, values: CreateImportInput, problems: Problems) -> NewImport:
    name = problems.text("name", values.name, longest=_NAME_LONGEST, required=True)
    source = problems.text("source", values.source, longest=_SOURCE_LONGEST)
    encoding = problems.text("encoding", values.encoding, longest=_ENCODING_LONGEST)
    key = problems.text("idempotencyKey", values.idempotency_key, longest=_KEY_LONGEST)
    types = context.services.registry.importers
    if values.type not in types:
        known = ", ".join(types) or "none"
        problems.add("UNKNOWN_TYPE", "type", f"There is no such import type; there are: {known}.")
    return NewImport(
        token_id=context.token.id,
        type=values.type,
        name=name,
        source=source or _DEFAULT_SOURCE,
        is_dry_run=bool(values.dry_run),
        idempotency_key=key or None,
        declared_encoding=encoding or None,
        file_name=values.file.name,
        file_size=values.file.size,
        file_sha256=await asyncio.to_thread(values.file.sha256),
    )


async def _file_problems(context: Context, values: CreateImportInput) -> list[UserError]:
    """Look at the first bytes of the file."""
    importer = context.services.registry.importers.get(values.type)
    try:
        await asyncio.to_thread(_check_file, context, values, importer)
    except FileRefusedError as error:
        return [_file_error(detail) for detail in error.errors]
    return []


def _check_file(context: Context, values: CreateImportInput, importer: Importer | None) -> None:
    file, limits = values.file, context.services.settings.limits
    if file.size > limits.max_bytes:
        raise FileRefusedError([_too_large(limits.max_bytes)])
    header = check_head(
        file.head(),
        filename=file.name,
        encoding=values.encoding,
        limits=limits,
        is_whole=file.size <= HEAD_BYTES,
    )
    if header is not None and importer is not None:
        others = [header_spec(other) for other in context.services.registry.importers.values()]
        match_header(header, header_spec(importer), others)


async def _come_second(context: Context, new: NewImport) -> CreateImportPayload:
    """Answer an upload that finds its name or key in use, if only since a moment."""
    if new.idempotency_key:
        found = await context.scope.read(find_repeated, new.idempotency_key)
        if found:
            return await _repeat(context, new, *found)
    return CreateImportPayload(import_=None, user_errors=[_name_taken(new.name)])


async def _repeat(
    context: Context, new: NewImport, key: int, stored: NewImport
) -> CreateImportPayload:
    if new.repeats(stored):
        return await _payload(context, key)
    error = user_error(
        "IDEMPOTENCY_KEY_REUSED",
        "Another upload, with another file, type, name, encoding or dryRun, had this key.",
        "input",
        "idempotencyKey",
    )
    return CreateImportPayload(import_=None, user_errors=[error])


async def _payload(context: Context, key: int) -> CreateImportPayload:
    found = await load_import(context, key)
    if found is None:
        raise ApiError("NOT_FOUND", "The import is gone.")
    return CreateImportPayload(import_=found, user_errors=[])


def _name_taken(name: str) -> UserError:
    message = f"An import named '{name}' is running; wait for its end, or choose another name."
    return user_error("NAME_TAKEN", message, "input", "name")


def _too_large(limit: int) -> ErrorDetail:
    return ErrorDetail(
        code="TOO_LARGE",
        message=f"The file is too large; {limit:,} bytes are the most that can be imported.",
    )


def _file_error(detail: ErrorDetail) -> UserError:
    field = "encoding" if detail.code == "UNKNOWN_ENCODING" else "file"
    return user_error(detail.code, detail.message, "input", field)
