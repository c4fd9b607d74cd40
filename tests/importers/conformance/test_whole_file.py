"""What the conformance kit finds of importers that look at files as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from importers import CaseRef, Directory, EveryRow, FileRows, Importer, Remove, RowError, UserRef
from importers.testing import check_conformance


class Few(Importer):
    """Remove a few people."""

    label = "Few"
    matter = CaseRef(required=True, help="The case.", example="trv-001")
    person = UserRef(required=True, help="The user.", example="jones-001")
    every_row = EveryRow(Remove, case="matter", user="person")

    async def check_file(self, rows: FileRows, directory: Directory) -> Any:
        """Refuse many rows."""
        count = len([None async for _ in rows]) + rows.failed
        return [RowError(None, "TOO_MANY", "{count} are too many.", count=count)] * (count > 9)


class Fussy(Few):
    """Refuse the sample file."""

    async def check_file(self, rows: FileRows, directory: Directory) -> Any:
        """Refuse any file."""
        return [RowError("person", "NO", "is never right.")]


class Sure(Few):
    """Takes for granted that there is a row."""

    async def check_file(self, rows: FileRows, directory: Directory) -> Any:
        """Take the first."""
        found = [row.matter async for row in rows]
        _ = found[0]


class Misnamed(Few):
    """Answers with a text."""

    async def check_file(self, rows: FileRows, directory: Directory) -> Any:
        """Answer."""
        return ["no"]


def test_one_that_copes() -> None:
    """An importer whose check lets ordinary files pass keeps the rules."""
    check_conformance(Few, rows=100)


@pytest.mark.parametrize(
    ("importer", "expected"),
    [
        (Fussy, "check_file, the sample file: it is refused: Person: is never right."),
        (Sure, "check_file, a file whose only row is too long: it fails: IndexError"),
        (Misnamed, "check_file, the sample file: it fails: TypeError: check_file() returned 'no'"),
    ],
)
def test_mistakes(importer: type[Importer], expected: str) -> None:
    """A check that refuses the sample file, or fails, is told of with its place."""
    with pytest.raises(AssertionError) as caught:
        check_conformance(importer, rows=100)

    assert expected in str(caught.value)
