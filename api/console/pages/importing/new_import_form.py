"""The form of a new import: its fields, and the input that they make."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from api.console.form import Form
from api.console.pages.importing.available import new_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.schema.uploads.upload import UploadedFile

ENCODINGS = (
    "windows-1252",
    "mac-roman",
    "windows-1250",
    "windows-1251",
    "cp850",
    "shift-jis",
    "gb18030",
    "euc-kr",
)
"""Suggestions; the field takes any other name as well."""
IGNORE = "-"
"""What the field of an unknown column says to have it left out."""
_HEADER = "header-"
_FIELDS = ("type", "file", "name", "encoding", "notify")
_OWN_FIELDS = {"columns": "file", "ignoreColumns": "file"}
_SEPARATORS = re.compile(r"[,;\s]+")


class ShownType(NamedTuple):
    """A type as the form offers it.

    Args:
        has_dates: whether the order of day and month matters to it.
    """

    key: str
    label: str
    description: str
    columns: Sequence[Mapping[str, Any]]
    sample: str
    has_dates: bool


def import_types(types: Sequence[Mapping[str, Any]]) -> list[ShownType]:
    """Return the types that can be imported."""
    return [
        ShownType(
            key=each["key"],
            label=each["label"],
            description=each["description"],
            columns=each["columns"],
            sample=each["sampleTemplate"]["filename"],
            has_dates=any(_is_day(column["example"]) for column in each["columns"]),
        )
        for each in types
        if each["state"] == "ON"
    ]


def empty_form(type_: str | None) -> Form:
    """Return the form as it is at first, with the type that was chosen already."""
    return Form(key=[new_key()], type=[type_ or ""])


def with_new_key(form: Form, errors: Sequence[Mapping[str, Any]]) -> Form:
    """Return the form with the key for its next upload.

    It stays the same while nothing has been created: if an answer was lost on the way, the upload
    that is sent again finds its import.
    """
    is_used = any(error.get("code") == "IDEMPOTENCY_KEY_REUSED" for error in errors)
    return Form(form, key=[new_key()]) if is_used or not form.first("key") else form


def import_input(form: Form, file: UploadedFile) -> dict[str, Any]:
    """Return the mutation's input."""
    notified = _SEPARATORS.split(form.first("notify"))
    return {
        "name": form.first("name"),
        "type": form.first("type"),
        "file": file,
        "source": "console",
        "dryRun": form.first("then") != "run",
        "atomic": "atomic" in form,
        "encoding": form.first("encoding") or None,
        "dateOrder": form.first("date_order") or None,
        "idempotencyKey": idempotency_key(form),
        "notify": [address for address in notified if address],
        **file_mapping(form),
    }


def posted_mapping(form: Form) -> dict[str, str]:
    """Return what the form says of names in the header: a column, or `IGNORE`."""
    numbers = [name.removeprefix(_HEADER) for name in form if name.startswith(_HEADER)]
    said = {form[_HEADER + number][0]: form.first(f"use-{number}") for number in numbers}
    return {header: use for header, use in said.items() if use}


def file_mapping(form: Form) -> dict[str, Any]:
    """Return the part of an input that says what names in the header mean."""
    said = posted_mapping(form)
    columns = [{"header": name, "column": use} for name, use in said.items() if use != IGNORE]
    ignored = [name for name, use in said.items() if use == IGNORE]
    given = {"columns": columns, "ignoreColumns": ignored}
    return {name: value for name, value in given.items() if value}


def idempotency_key(form: Form) -> str:
    """Return a key for the form as it is filled in.

    The same form sent twice makes one import; with anything changed in it, another one. The file is
    not part of the key, so a script adds a field with its size and time.
    """
    said = {name: values for name, values in form.items() if name != "again"}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def problems_by_field(errors: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return errors by the field of the form that they stand at."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for error in errors:
        name = (error["field"] or [""])[-1]
        field = _OWN_FIELDS.get(name, name if name in _FIELDS else "form")
        found.setdefault(field, []).append(error)
    return found


def _is_day(example: str | None) -> bool:
    try:
        datetime.strptime(example or "", "%m/%d/%Y")  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False
    return True
