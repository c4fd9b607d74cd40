"""Paths of what can be downloaded of an import: its file, its failed rows, all of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.batch.row_type import RowColumn
from api.schema.importing.import_types import as_workbook
from importers.sdk.node_id import encode_node_id
from models.imports import ImportStatus

if TYPE_CHECKING:
    from datetime import datetime


def file_url(key: int) -> str:
    return f"/files/imports/{encode_node_id('Import', key)}"


def _rows_url(
    name: str, key: int, status: str, count: int, purged_at: datetime | None
) -> str | None:
    is_there = ImportStatus(status).is_final and count and not purged_at
    return f"{file_url(key)}/{name}" if is_there else None


def _failed_rows_url(*columns: Any) -> str | None:
    return _rows_url("failed-rows.csv", *columns)


def _failed_rows_workbook_url(*columns: Any) -> str | None:
    url = _failed_rows_url(*columns)
    return url and as_workbook(url)


def _results_url(*columns: Any) -> str | None:
    return _rows_url("results.csv", *columns)


_FAILED = ("id", "status", "failed", "purged_at")
FAILED_ROWS_URL = RowColumn(_FAILED, _failed_rows_url)
FAILED_ROWS_WORKBOOK_URL = RowColumn(_FAILED, _failed_rows_workbook_url)
RESULTS_URL = RowColumn(("id", "status", "total", "purged_at"), _results_url)
