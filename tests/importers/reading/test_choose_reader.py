"""The first reader that takes a file reads it; CSV text comes last."""

from __future__ import annotations

from typing import Any

import pytest

from importers.reading.choose_reader import CSV, choose_reader
from importers.reading.csv_reader import CsvReader
from importers.reading.workbooks.isolated import WorkbookReader


class NamedReader(CsvReader):
    """Takes files of one name, and keeps what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[bytes] = []

    def takes(self, beginning: bytes, filename: str) -> bool:
        self.asked.append(beginning)
        return filename == self.name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        pytest.param(b"PK\x03\x04", WorkbookReader, id="a workbook"),
        pytest.param(b"a,b", CsvReader, id="text"),
        pytest.param(b"", CsvReader, id="nothing"),
        pytest.param(b"%PDF-1.7", CsvReader, id="what is refused later"),
    ],
)
def test_own_readers(head: bytes, kind: Any) -> None:
    """Caseroll's own look at the first bytes alone."""
    assert type(choose_reader(head, "roster.xlsx")) is kind


def test_readers_of_plugins() -> None:
    """They come first, in their order."""
    one, other = NamedReader("a"), NamedReader("a")

    assert choose_reader(b"PK\x03\x04", "a", [one, other]) is one
    assert choose_reader(b"x", "b", [one, other]) is CSV
    assert len(other.asked) == 1


def test_the_beginning() -> None:
    """However much has come of a file, a reader is asked about as much."""
    reader = NamedReader("a")
    for size in (10, 64 * 1024, 1024 * 1024):
        choose_reader(b"x" * size, "b", [reader])

    assert [len(each) for each in reader.asked] == [10, 64 * 1024, 64 * 1024]
