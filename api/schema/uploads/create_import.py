"""Creating an import: the checks that an upload goes through before it is accepted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.errors import ApiError
from api.language import translator
from api.schema.importing.column_mapping import ColumnMappingInput, read_mapping
from api.schema.importing.imports import IMPORT_ROW, Import, load_import
from api.schema.input_errors import InputErrors, UserError, user_error
from api.schema.node import find_object
from api.schema.shown_enum import show_enum
from api.schema.uploads.import_input import ENCODING_LONGEST, find_importer, too_large
from api.schema.uploads.upload import HEAD_BYTES, UploadedFile
from importers.reading.table import check_head
from importers.rows.header import header_spec, match_header
from importers.rows.header_mapping import HeaderMapping
from importers.sdk.cells.formats import is_email
from importers.sdk.errors import ErrorDetail, FileRefusedError
from models.imports import DateOrder
from models.listing import IMPORTS, undoes
from models.new_import import NewImport, find_repeated, insert_import, is_name_in_use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.importer import Importer

_NAME_LONGEST = 200
_SOURCE_LONGEST = 50
_KEY_LONGEST = 200
_MOST_NOTIFIED = 20
_DEFAULT_SOURCE = "api"
# Enough for most headers: a slow client learns of a wrong one before it has sent a mebibyte.
_FIRST_BYTES = 64 * 1024
# Codes of files that are refused for another field of the input.
_FIELDS = {"UNKNOWN_ENCODING": "encoding", "NO_SUCH_HEADER": "columns"}

show_enum(DateOrder, description="The order of day and month in a file's dates.")


@strawberry.input(description="A file, and what is to be done with it.")
class CreateImportInput:
    name: str = field(
        description="What to call the import: up to 200 characters, unique in the app among "
        "imports that are not finished."
    )
    type: str = field(description="Key of the import type.")
    file: UploadedFile = field(description="The CSV file or workbook (.xlsx, .ods).")
    source: str | None = field(
        default=_DEFAULT_SOURCE,
        description="Where it comes from: `api`, `cli`, `console`, or a name of the client's own, "
        "of up to 50 characters.",
    )
    dry_run: bool | None = field(default=False, description="Try the rows out, and change nothing.")
    atomic: bool | None = field(
        default=False,
        description="Apply all rows or none: if one fails, nothing is done, and the others fail "
        "with `NOT_APPLIED`. The rows are planned first, so it takes twice as long.",
    )
    encoding: str | None = field(
        default=None,
        description="The file's encoding, such as `windows-1252`, when it is neither UTF-8 nor "
        "UTF-16 with a byte order mark.",
    )
    date_order: DateOrder | None = field(
        default=None,
        description="The order of day and month in the file's dates; without it, the month comes "
        "first, and dates are refused that could be read both ways in a column that has others "
        "with the day first.",
    )
    idempotency_key: str | None = field(
        default=None,
        description="Any text that is new for each upload. Sent once more, with the same file, it "
        "returns the same import instead of making another.",
    )
    columns: list[ColumnMappingInput] | None = field(
        default=None,
        description="What names in the file's header stand for, where they are not those of the "
        "type's columns. A file that lacks one of these headers is refused.",
    )
    ignore_columns: list[str] | None = field(
        default=None,
        description="Names in the file's header of columns to pass over; a warning on the import "
        "says so.",
    )
    notify: list[str] | None = field(
        default=None,
        description="Up to 20 e-mail addresses. Each gets a mail when the import ends, and again "
        "when a retry of it ends.",
    )


@strawberry.type(description="Something to know about an upload that was accepted all the same.")
class UploadWarning:
    code: str = field(
        description="Stable, upper-case name of the kind of warning. `SAME_FILE`: an import of the "
        "same type had the very same file in the last 24 hours; dry runs and imports that failed "
        "do not count."
    )
    message: str = field(description="A sentence for the person who uploads the file.")
    import_: Import = field(name="import", description="The import that it is about.")


@strawberry.type(description="What came of an upload.")
class CreateImportPayload:
    import_: Import | None = field(
        name="import", description="The import that was created; null after errors."
    )
    user_errors: list[UserError] = field(
        description="What was wrong; when there is anything, nothing has been created."
    )
    warnings: list[UploadWarning] = field(
        default_factory=list,
        description="What to know about the upload, though it was accepted; the import runs.",
    )


@strawberry.mutation(
    description="Upload a file, by a GraphQL multipart request. What its first bytes show to "
    "be wrong is answered at once; the rows are run afterwards."
)
async def create_import(
    info: Info,
    values: Annotated[
        CreateImportInput, argument(name="input", description="The file and what it is.")
    ],
) -> CreateImportPayload:
    """Wait for no more of the file than the answer needs."""
    context = info.context
    errors = InputErrors()
    new = _read_description(context, values, errors)
    has_good_name = not any(error.field == ["input", "name"] for error in errors.found)
    # Before the other checks: the name of a repeat may be in use, by the import that it repeats.
    if not errors.found and new.idempotency_key:
        found = await context.scope.read(find_repeated, new.idempotency_key)
        if found:
            return await _answer_repeated(context, values, new, *found)
    # Header and name are both checked before an answer, so that a client learns of both at once.
    mapping = HeaderMapping.of(new.header_mapping)
    errors.found += await _check_beginning(context, values, mapping, _FIRST_BYTES)
    is_taken = has_good_name and await context.scope.read(is_name_in_use, new.name)
    # The import of that name may be this one: a repeat whose first upload has just been stored.
    if is_taken and not errors.found:
        return await _answer_second(context, values, new)
    if is_taken:
        errors.found.append(_name_taken(new.name))
    if not errors.found:
        errors.found += await _receive_rest(context, values, mapping)
    if errors.found:
        return CreateImportPayload(import_=None, user_errors=errors.found)
    values.file.content.seek(0)
    inserted = await context.scope.write(
        insert_import, _with_file(new, values.file), values.file.content, by=context.actor
    )
    if inserted is None:
        return await _answer_second(context, values, new)
    # After the commit: a worker that is quicker would not find the import.
    await context.services.queue.enqueue_split(inserted.id)
    await context.services.queue.notify_changed(context.token.app_id, inserted.id)
    payload = await _load_created(context, inserted.id)
    if inserted.same_as is not None:
        payload.warnings += await _warn_of_same_file(context, inserted.same_as)
    return payload


def _read_description(
    context: Context, values: CreateImportInput, errors: InputErrors
) -> NewImport:
    """Return what the input says of the import; size and hash need the whole file."""
    name = errors.text("name", values.name, longest=_NAME_LONGEST, required=True)
    source = errors.text("source", values.source, longest=_SOURCE_LONGEST)
    encoding = errors.text("encoding", values.encoding, longest=ENCODING_LONGEST)
    key = errors.text("idempotencyKey", values.idempotency_key, longest=_KEY_LONGEST)
    notified = _read_addresses(values.notify or (), errors)
    importer = find_importer(context, values.type, errors)
    mapping = read_mapping(values.columns, values.ignore_columns, importer, errors)
    return NewImport(
        token_id=context.token.id,
        type=values.type,
        name=name,
        source=source or _DEFAULT_SOURCE,
        is_dry_run=bool(values.dry_run),
        idempotency_key=key or None,
        declared_encoding=encoding or None,
        file_name=values.file.name,
        file_size=0,
        file_sha256="",
        date_order=values.date_order,
        notify=notified or None,
        is_atomic=bool(values.atomic),
        header_mapping=mapping.as_stored(),
    )


def _read_addresses(addresses: Sequence[str], errors: InputErrors) -> list[str]:
    """Return each address once."""
    found = list(dict.fromkeys(address.strip() for address in addresses))
    if len(found) > _MOST_NOTIFIED:
        errors.add("TOO_MANY_ADDRESSES", "notify", f"Name {_MOST_NOTIFIED} addresses at the most.")
    for address in found:
        if not is_email(address):
            errors.add("INVALID_EMAIL", "notify", f"'{address}' is not an e-mail address.")
    return found


def _with_file(new: NewImport, file: UploadedFile) -> NewImport:
    return new._replace(file_size=file.size, file_sha256=file.sha256())


async def _check_beginning(
    context: Context, values: CreateImportInput, mapping: HeaderMapping, size: int
) -> list[UserError]:
    """Check the file once `size` bytes of it have come, or all of it."""
    importer = context.services.registry.importers.get(values.type)
    # One byte more tells whether the file ends here.
    await values.file.arrive(size + 1)
    try:
        await asyncio.to_thread(_check_file, context, values, importer, mapping)
    except FileRefusedError as error:
        return [_file_error(detail) for detail in error.errors]
    return []


async def _receive_rest(
    context: Context, values: CreateImportInput, mapping: HeaderMapping
) -> list[UserError]:
    """Wait for the rest of the file, and check a longer beginning on the way."""
    if not values.file.is_whole:
        errors = await _check_beginning(context, values, mapping, HEAD_BYTES)
        if errors:
            return errors
    return await _receive_all(context, values.file)


async def _receive_all(context: Context, file: UploadedFile) -> list[UserError]:
    """Wait for all of the file, unless it is too large."""
    most = context.services.settings.limits.max_bytes
    await file.arrive(most + 1)
    return [_file_error(too_large(most))] if file.size > most else []


def _check_file(
    context: Context, values: CreateImportInput, importer: Importer | None, mapping: HeaderMapping
) -> None:
    file, limits = values.file, context.services.settings.limits
    if file.size > limits.max_bytes:
        raise FileRefusedError([too_large(limits.max_bytes)])
    head = check_head(
        file.head(),
        filename=file.name,
        encoding=values.encoding,
        limits=limits,
        is_whole=file.is_whole and file.size <= HEAD_BYTES,
        readers=context.services.registry.readers,
    )
    if head is not None and importer is not None:
        others = [header_spec(other) for other in context.services.registry.importers.values()]
        spec = header_spec(importer)
        match_header(head.header, spec, others, mapping=mapping, below=head.below)


async def _answer_second(
    context: Context, values: CreateImportInput, new: NewImport
) -> CreateImportPayload:
    """Answer an upload whose name or key is in use, perhaps since a moment ago."""
    if new.idempotency_key:
        found = await context.scope.read(find_repeated, new.idempotency_key)
        if found:
            return await _answer_repeated(context, values, new, *found)
    return CreateImportPayload(import_=None, user_errors=[_name_taken(new.name)])


async def _answer_repeated(
    context: Context, values: CreateImportInput, new: NewImport, key: int, stored: NewImport
) -> CreateImportPayload:
    """Answer an upload whose key is in use: only the whole file tells whether it is the same."""
    if errors := await _receive_all(context, values.file):
        return CreateImportPayload(import_=None, user_errors=errors)
    if _with_file(new, values.file).repeats(stored):
        return await _load_created(context, key)
    error = user_error(
        "IDEMPOTENCY_KEY_REUSED",
        "Another upload, with another file, type, name, encoding, date order, atomic, notify, "
        "columns or dryRun, had this key.",
        "input",
        "idempotencyKey",
    )
    return CreateImportPayload(import_=None, user_errors=[error])


async def _load_created(context: Context, key: int) -> CreateImportPayload:
    found = await load_import(context, key)
    if found is None:
        raise ApiError("NOT_FOUND", "The import is gone.")
    return CreateImportPayload(import_=found, user_errors=[])


async def _warn_of_same_file(context: Context, key: int) -> list[UploadWarning]:
    earlier = await load_import(context, key)
    if earlier is None:
        return []
    message = (
        f"The same file was imported as '{earlier.name}' on {earlier.created_at:%Y-%m-%d at %H:%M} "
        "UTC. If that was not meant, cancel this import; rows that are in effect change nothing."
    )
    if undone := await find_object(context, IMPORTS, IMPORT_ROW, undoes(key)):
        message = (
            f"The same file was imported as '{earlier.name}' on "
            f"{earlier.created_at:%Y-%m-%d at %H:%M} UTC, and undone since by '{undone.name}'."
        )
    message = translator().error({"code": "SAME_FILE", "message": message})
    return [UploadWarning(code="SAME_FILE", message=message, import_=earlier)]


def _name_taken(name: str) -> UserError:
    message = f"An import named '{name}' is running; wait for its end, or choose another name."
    return user_error("NAME_TAKEN", message, "input", "name")


def _file_error(detail: ErrorDetail) -> UserError:
    field = _FIELDS.get(detail.code, "file")
    return user_error(detail.code, detail.message, "input", field)
