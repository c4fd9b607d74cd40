"""Workbooks of some rows, opened as those of imports are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from importers.reading.limits import Limits
from importers.reading.table import Table, open_table
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpyxl import Workbook

PLAIN = (["case_id", "user_id"], ["trv-1", "jo-1"])


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def workbook(rows: Iterable[list[Any]] = PLAIN) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for cells in rows:
        sheet.append(cells)
    return saved(book)


def opened(data: bytes, limits: Limits | None = None) -> Table:
    return open_table(
        io.BytesIO(data), filename="roster.xlsx", encoding=None, limits=limits or Limits()
    )


def refused(data: bytes, limits: Limits | None = None) -> tuple[str, str]:
    with pytest.raises(FileRefusedError) as caught:
        list(opened(data, limits).rows)
    (error,) = caught.value.errors
    return error.code, error.message
