"""What previews and uploads have in common: how they name a type, and limits of their input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.schema.importing.plugins import why_no_type
from importers.sdk.errors import ErrorDetail

if TYPE_CHECKING:
    from api.access.context import Context
    from api.schema.input_errors import InputErrors
    from importers.sdk.importer import Importer

ENCODING_LONGEST = 40


def find_importer(context: Context, key: str, errors: InputErrors) -> Importer | None:
    types = context.services.registry.importers
    if key not in types:
        errors.add("UNKNOWN_TYPE", "type", why_no_type(context, key))
    return types.get(key)


def too_large(limit: int) -> ErrorDetail:
    template = "The file is too large; {limit:,} bytes are the most that can be imported."
    return ErrorDetail.of("TOO_LARGE", template, limit=limit)
