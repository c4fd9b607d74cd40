"""What the beginning of a file shows, before there is an import of it."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import strawberry
from strawberry import field

from api.schema.importing.import_rows import ImportProblem
from api.schema.importing.import_types import ImportType
from api.schema.importing.imports import Import
from importers.rows.preview import refusals
from importers.sdk.cell_note import shown_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from importers.reading.beginning import Beginning
    from importers.reading.record import Record
    from importers.rows.header import HeaderColumn
    from importers.rows.preview import PreviewedHeader
    from importers.sdk.errors import ErrorDetail

_LONGEST_CELL = 200


@strawberry.type(description="A name in a file's header, and what it means for the type.")
class PreviewColumn:
    header: str = field(description="The name, as the file has it.")
    column: str | None = field(
        description="The type's column of which the cells below are; null when the name is "
        "unknown or ignored, and without a type."
    )
    suggestion: str | None = field(
        description="The type's column that an unknown name probably means. It is never applied by "
        "itself: the upload's `columns` may say so."
    )
    ignored: bool = field(
        description="Whether the cells below are passed over: `ignoreColumns` has the name, it is "
        "one of those that a download of failed rows adds, or the type has no such column and "
        "passes others over."
    )

    @classmethod
    def of(cls, column: HeaderColumn) -> PreviewColumn:
        return cls(
            header=column.name,
            column=column.column,
            suggestion=column.suggestion,
            ignored=column.is_ignored,
        )


@strawberry.type(description="One of the first rows of a file.")
class PreviewRow:
    number: int = field(description="The number that a spreadsheet shows.")
    cells: list[str] = field(
        description="The cells' texts, one for each of `columns`, and perhaps more beyond them; "
        f"texts of more than {_LONGEST_CELL} characters are cut."
    )

    @classmethod
    def of(cls, record: Record, width: int) -> PreviewRow:
        number, cells = record
        shown = [_shorten(shown_text(cell)) for cell in cells]
        return cls(
            number=number,
            cells=[each for each, _ in zip_longest(shown, range(width), fillvalue="")],
        )


@strawberry.type(
    description="What the beginning of a file shows. An import reads the file by the same code, "
    "and refuses it for the same reasons; it may find others behind the rows that were read."
)
class FilePreview:
    encoding: str | None = field(
        description="The encoding that the text was read in; null for other files, and when it "
        "can't be read."
    )
    encoding_choices: list[str] = field(
        description="Encodings for `encoding` in which the bytes read are text: only one when the "
        "file is UTF-8 or begins with a byte order mark. Of several, a person who sees the rows "
        "has to choose: the bytes don't tell. None for a file that is no CSV text."
    )
    delimiter: str | None = field(
        description="What separates the cells of CSV text; null for other files."
    )
    header_row: int | None = field(
        description="The number of the header's row; null while no header is seen."
    )
    columns: list[PreviewColumn] = field(description="The header, in the file's order.")
    missing_columns: list[str] = field(
        description="Columns that the type needs and the header lacks."
    )
    rows: list[PreviewRow] = field(description="The first rows, ten at the most.")
    rows_seen: int = field(description="How many rows have been read.")
    whole: bool = field(description="Whether these are all rows of the file.")
    warnings: list[ImportProblem] = field(
        description="What the import would remark on the file. Some remarks on workbooks come only "
        "when all rows have been read."
    )
    errors: list[ImportProblem] = field(description="What the file would be refused for.")
    suggested_type: ImportType | None = field(
        description="The type that the file was probably meant for: the one whose header it has, "
        "when it lacks columns of its own type, or has none yet. Never one that removes, for a "
        "file that was not to: an admin who forgot a column must not be led there."
    )
    mapped_before: Import | None = field(
        default=None,
        description="The newest import of this type whose file had the same names in its header, "
        "and whose upload said what they stand for: its `columnMapping` and `ignoredColumns` can "
        "be offered, and are never applied by themselves. Null if the input says so itself.",
    )
    same_file: Import | None = field(
        default=None,
        description="The newest import of this type that had the very same file and was no dry "
        "run, and has not failed. Told when the file was sent whole and has up to 64 KiB or is a "
        "workbook, or when the input has its `sha256`; otherwise null.",
    )


def show_preview(
    beginning: Beginning,
    header: PreviewedHeader,
    suggested_type: ImportType | None,
) -> FilePreview:
    table = beginning.table
    warnings = [*table.warnings, *header.warnings] if table else []
    width = len(header.columns)
    return FilePreview(
        encoding=table.encoding if table else None,
        encoding_choices=list(beginning.encoding_choices),
        delimiter=table.delimiter if table else None,
        header_row=table.header_row if table else None,
        columns=list(map(PreviewColumn.of, header.columns)),
        missing_columns=list(header.missing),
        rows=[PreviewRow.of(record, width) for record in beginning.rows],
        rows_seen=beginning.rows_seen,
        whole=beginning.is_whole,
        warnings=_problems(warnings),
        errors=_problems(refusals(beginning, header)),
        suggested_type=suggested_type,
    )


def _problems(details: Iterable[ErrorDetail]) -> list[ImportProblem]:
    return [ImportProblem.of(detail.as_dict()) for detail in details]


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
