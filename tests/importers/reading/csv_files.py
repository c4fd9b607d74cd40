"""CSV files, opened as those of imports are."""

from __future__ import annotations

import io

import pytest

from importers.reading.limits import Limits
from importers.reading.table import Table, open_table
from importers.sdk.errors import ErrorDetail, FileRefusedError


def opened(data: bytes, encoding: str | None = None) -> Table:
    return open_table(io.BytesIO(data), filename="roster.csv", encoding=encoding, limits=Limits())


def refused(data: bytes, encoding: str | None = None) -> ErrorDetail:
    with pytest.raises(FileRefusedError) as caught:
        list(opened(data, encoding).rows)
    (error,) = caught.value.errors
    return error
