"""Files crafted to cost time or memory are refused soon, with a code that says why."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile

import pytest

from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.sdk.errors import FileRefusedError
from tests.fuzz.xlsx_writer import SHEET, pack, parts_of

MIB = 1024 * 1024
PARTS = parts_of([["case_id", "user_id"], ["trv-001", "jack-001"]])


def refused(data: bytes) -> str:
    with pytest.raises(FileRefusedError) as caught:
        list(open_table(io.BytesIO(data), filename="x.csv", encoding=None, limits=Limits()).rows)
    return caught.value.errors[0].code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"a,b\nx," + b"y" * 32 * MIB, "ROW_TOO_LONG", id="an endless cell"),
        pytest.param(b'a,b\nx,"' + b"y\n" * 16 * MIB, "CELL_TOO_LONG", id="an endless quote"),
        pytest.param(b"c," * 1_000_000 + b"\n1", "TOO_MANY_COLUMNS", id="a million names"),
        pytest.param(b"a,b\n" + b"c," * 1_000_000 + b"\n", "TOO_MANY_COLUMNS", id="a wide row"),
        pytest.param(b"a;" * 16 * MIB, "ROW_TOO_LONG", id="an endless header"),
        pytest.param(b"\xef\xbb\xbf" + b"\0" * 32 * MIB, "NUL_BYTE", id="nothing but NULs"),
    ],
)
def test_text(data: bytes, code: str) -> None:
    """A cell, row or header without an end is refused after a few mebibytes of it."""
    tracemalloc.start()
    started = time.monotonic()
    found = refused(data)
    seconds = time.monotonic() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == code
    assert seconds < 30
    assert peak < 2 * len(data) + 48 * MIB  # the file itself is in memory here


def blanks() -> bytes:
    """Make a workbook of a few kilobytes whose sheet unpacks to 64 MiB."""
    start, end = PARTS[SHEET].split("<sheetData>")
    return pack({**PARTS, SHEET: f"{start}<sheetData>{' ' * 64 * MIB}{end}"})


def test_a_part_that_says_it_is_small() -> None:
    """A part that unpacks to more than the archive's index says is refused as damaged."""
    lying = bytearray(blanks())
    entry = lying.rfind(SHEET.encode()) - 46
    lying[entry + 24 : entry + 28] = struct.pack("<I", len(PARTS[SHEET]))

    assert refused(bytes(lying)) == "DAMAGED_WORKBOOK"


def test_a_part_that_unpacks_to_more_than_there_may_be() -> None:
    """An index that announces too many bytes is enough to refuse; nothing is unpacked."""
    with pytest.raises(FileRefusedError) as caught:
        list(
            open_table(
                io.BytesIO(blanks()),
                filename="x.xlsx",
                encoding=None,
                limits=Limits(max_unpacked_bytes=32 * MIB),
            ).rows
        )

    assert caught.value.errors[0].code == "TOO_LARGE"


def test_entities_of_entities() -> None:
    """A workbook with a document type is refused before anything expands it."""
    laughs = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
    sheet = PARTS[SHEET].replace("?>\n", f'?>\n<!DOCTYPE l [<!ENTITY l0 "lol">{laughs}]>', 1)

    assert refused(pack({**PARTS, SHEET: sheet})) == "DAMAGED_WORKBOOK"


def test_parts_within_parts() -> None:
    """A workbook with two parts of one name is refused: programs differ in which they read."""
    buffer = io.BytesIO(pack(PARTS))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, PARTS[SHEET].replace("trv-001", "trv-666"))

    assert refused(buffer.getvalue()) == "DAMAGED_WORKBOOK"
