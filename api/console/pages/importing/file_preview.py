"""What the server sees of a file that was chosen for a new import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from api.console.operation import run_upload
from api.console.pages.importing.new_import_form import IGNORE, file_mapping, posted_mapping
from api.console.paging import nodes
from api.console.upload_form import receive_upload
from api.errors import bad_request
from importers.rows.header_mapping import IGNORED
from importers.sdk.columns import column_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from starlette.responses import Response

    from api.console.form import Form
    from api.console.visit import Visit
    from api.schema.uploads.upload import UploadedFile

# Room for a number behind it.
_NAME_LONGEST = 190
# As many as an upload may say something about.
_MOST_UNKNOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownColumn:
    """A name in the header that stands for no column of the type by itself.

    Args:
        choice: what the visitor has chosen for it: a column, `IGNORE`, or nothing yet.
        choices: the columns that it may stand for.
        before: what the last upload with this header has said of it; blank if nothing.
    """

    header: str
    suggestion: str | None
    choice: str
    choices: Sequence[str]
    before: str = ""


async def show_preview(visit: Visit) -> Response:
    """Show what a file's beginning says, as a part of the page."""
    with receive_upload(visit) as form:
        await form.read_fields(last="size")
        if form.file is None:
            raise bad_request(visit.language.text("Choose a file."))
        values = preview_input(form.fields, form.file)
        data = await run_upload(visit.context, "preview_file", {"input": values}, form.body)
        fields, file_name = form.fields, form.file.name
    stem = PurePath(file_name).stem[:_NAME_LONGEST]
    names = await visit.run("preview_names", search=stem)
    payload = data["previewFile"]
    seen = payload["preview"]
    return visit.page(
        "parts/file_preview.html",
        seen=seen,
        refusals=payload["userErrors"] or problems_of_file(seen),
        unknown=unknown_columns(seen, fields, columns_of(names["importTypes"], fields)),
        heads=column_heads(seen),
        encoding=fields.first("encoding"),
        name=free_name(stem, {each["name"] for each in nodes(names["imports"])}),
        ignore=IGNORE,
    )


def preview_input(form: Form, file: UploadedFile) -> dict[str, Any]:
    """Return the mutation's input."""
    size = form.first("size")
    return {
        "file": file,
        "type": form.first("type") or None,
        "size": int(size) if size.isascii() and size.isdigit() else None,
        "sha256": form.first("sha256") or None,
        "encoding": form.first("encoding") or None,
        **file_mapping(form),
    }


def columns_of(types: Sequence[Mapping[str, Any]], form: Form) -> list[str]:
    """Return the columns of the type that was chosen."""
    found = next((each for each in types if each["key"] == form.first("type")), None)
    return [column["name"] for column in found["columns"]] if found else []


def unknown_columns(
    seen: Mapping[str, Any] | None, form: Form, columns: Sequence[str]
) -> list[UnknownColumn]:
    """Return the names in the header that the visitor has to say something about, or has."""
    if seen is None or not columns:
        return []
    said, before = posted_mapping(form), earlier_mapping(seen)
    taken = {each["column"] for each in seen["columns"]}
    found = []
    for each in seen["columns"]:
        # Where the type passes other columns over, one of them may be what it lacks.
        is_asked = not each["ignored"] or seen["missingColumns"]
        is_own = column_name(each["header"]) in {*IGNORED, ""}
        is_unknown = each["column"] is None and is_asked and not is_own
        if not is_unknown and not said.get(each["header"]):
            continue
        choice = said.get(each["header"], "")
        free = [name for name in columns if name not in taken or name == choice]
        found.append(
            UnknownColumn(
                header=each["header"],
                suggestion=each["suggestion"],
                choice=choice,
                choices=free,
                before=before.get(each["header"], ""),
            )
        )
    return found[:_MOST_UNKNOWN]


def earlier_mapping(seen: Mapping[str, Any]) -> dict[str, str]:
    """Return what the last upload with this header has said, as the form would say it."""
    earlier = seen["mappedBefore"]
    if earlier is None:
        return {}
    columns = {each["header"]: each["column"] for each in earlier["columnMapping"]}
    return columns | dict.fromkeys(earlier["ignoredColumns"], IGNORE)


def problems_of_file(seen: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the file would be refused for, but for what stands at its columns."""
    return [error for error in seen["errors"] if error["code"] != "UNKNOWN_COLUMN"]


def column_heads(seen: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return what stands above each column of the first rows: ours, and the file's if it differs.

    Example:
        >>> column_heads({"columns": [{"column": "username", "header": "E-Mail"}]})
        [('username', 'E-Mail')]
    """
    columns = seen["columns"] if seen else ()
    return [
        (each["column"] or "", "" if each["header"] == each["column"] else each["header"])
        for each in columns
    ]


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that no import has.

    Example:
        >>> free_name("May", {"May", "May (2)"})
        'May (3)'
    """
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
