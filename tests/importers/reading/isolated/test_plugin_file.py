"""Whatever a plugin's reader does, the file is read by the rules of all files, or refused."""

from __future__ import annotations

import io
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from importers import Reader
from importers.plugins.plugin_reader import PluginReader
from importers.reading.limits import Limits
from importers.reading.table import Table, open_table
from importers.sdk.errors import FileRefusedError
from tests.importers.reading.isolated import hostile_readers as hostile

FAILED = "The reader 'acme' failed on the file"
SHORT = Limits(workbook_seconds=1)


def lines(*rows: list[Any]) -> bytes:
    """Write rows as the reader `Lines` reads them."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


ROSTER = lines([1, " Case ID", "b", ""], [2, "trv-1", "x"], [4, "", " "], [9, "trv-2", "é"])


def opened(
    kind: type[Reader] = hostile.Lines, data: bytes = ROSTER, limits: Limits | None = None
) -> Table:
    return open_table(
        io.BytesIO(data),
        filename="roster.lines",
        encoding=None,
        limits=limits or Limits(),
        readers=[PluginReader(kind("acme"))],
    )


def refused(*arguments: Any) -> tuple[str, str]:
    with pytest.raises(FileRefusedError) as caught:
        list(opened(*arguments).rows)
    (error,) = caught.value.errors
    return error.code, error.message


def test_a_file() -> None:
    """The rows have the reader's numbers, and else all that the rows of other files have."""
    table = opened()

    assert (table.encoding, table.delimiter, table.header_row) == (None, None, 1)
    assert table.header == ("Case ID", "b")
    assert list(table.rows) == [(2, ["trv-1", "x"]), (9, ["trv-2", "é"])]
    assert table.warnings == []


def test_a_file_on_disk(tmp_path: Path) -> None:
    """It is read in place, from its beginning as often as the reader likes."""
    path = tmp_path / "roster.lines"
    path.write_bytes(b"trv-1\ntrv-2\n")
    with path.open("rb") as file:
        table = open_table(
            file, filename=path.name, encoding=None, limits=Limits(),
            readers=[PluginReader(hostile.Twice("acme"))],
        )  # fmt: skip

        assert list(table.rows) == [(1, ["12", "trv-1"]), (2, ["12", "trv-2"])]


def test_settings() -> None:
    """The process that reads has the reader's settings."""
    reader = hostile.Delimited("acme", hostile.Delimited.Settings(delimiter="~"))
    table = open_table(
        io.BytesIO(b"a~b\n1~2/3"), filename="x.lines", encoding=None, limits=Limits(),
        readers=[PluginReader(reader)],
    )  # fmt: skip

    assert list(table.rows) == [(1, ["1", "2/3"])]


def test_a_file_that_it_does_not_take() -> None:
    """Other files are read as ever."""
    readers = [PluginReader(hostile.Raising("acme"))]
    table = open_table(
        io.BytesIO(b"a\n1"), filename="a.csv", encoding=None, limits=Limits(), readers=readers
    )

    assert (table.delimiter, list(table.rows)) == (",", [(2, ["1"])])


def test_cells_of_failed_rows() -> None:
    """The column `errors` means nothing in such a file: failed rows are downloaded as CSV."""
    assert list(opened(data=lines([1, "a", "errors"], [2, "'=1", ""])).rows) == [(2, ["'=1", ""])]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "EMPTY_FILE", id="no header"),
        pytest.param(lines([1, "", " "]), "EMPTY_FILE", id="a blank header"),
        pytest.param(lines([1, "a"], [2, " "]), "NO_ROWS", id="a header alone"),
        pytest.param(lines([1, *["a"] * 101], [2, "b"]), "TOO_MANY_COLUMNS", id="many names"),
        pytest.param(lines([1, "a"], [2, *["b"] * 101]), "TOO_MANY_COLUMNS", id="many cells"),
        pytest.param(lines([1, "a"], [2, "x" * 1_048_577]), "CELL_TOO_LONG", id="a long cell"),
        pytest.param(lines([1, "a"], [2, *["x" * 900_000] * 5]), "ROW_TOO_LONG", id="a long row"),
        pytest.param(lines([1, "a"], [2, "\0"]), "NUL_BYTE", id="a NUL"),
        pytest.param(lines([1, "a"], *[[n, "b"] for n in range(2, 8)]), "TOO_MANY_ROWS", id="rows"),
    ],
)
def test_limits(data: bytes, code: str) -> None:
    """The engine's limits hold, and it refuses by the codes of any file."""
    assert refused(hostile.Lines, data, Limits(max_rows=5))[0] == code


def test_many_blank_cells() -> None:
    """Blank cells beyond the columns do no harm, however many there are."""
    data = lines([1, "a", *[""] * 5_000], [2, "b", *[" "] * 5_000])

    assert list(opened(data=data).rows) == [(2, ["b"])]


def test_half_a_character() -> None:
    """What no text can hold is marked as lost, and so refused in its cell."""
    assert list(opened(data=lines([1, "a"], [2, "x\ud800y"])).rows) == [(2, ["x\ufffdy"])]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param([1, "b"], "row 1 comes after row 1; numbers begin with 0 or more, and ascend",
                     id="the same number"),
        pytest.param([-3, "b"], "row -3 comes after row 1; numbers begin with 0 or more, and "
                     "ascend", id="a negative number"),
        pytest.param([2**31, "b"], "row 2,147,483,648 comes after row 1; numbers begin with 0 or "
                     "more, and ascend", id="too large a number"),
        pytest.param(["2", "b"], "the number of a row is '2', which is no whole number",
                     id="a text as number"),
        pytest.param([True, "b"], "the number of a row is True, which is no whole number",
                     id="a flag as number"),
        pytest.param([2, "b", None], "cell 2 of row 2 is None, which is no text", id="no text"),
        pytest.param([2, 5], "cell 1 of row 2 is 5, which is no text", id="a number as cell"),
    ],
)  # fmt: skip
def test_wrong_rows(row: list[Any], reason: str) -> None:
    """A reader that yields what is no row has a fault, and the message says which."""
    message = f"The reader 'acme' has a fault: {reason}."

    assert refused(hostile.Lines, lines([1, "a"], row)) == ("READER_ERROR", message)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        pytest.param(hostile.Raising, f"{FAILED} after row 7; the log says why.", id="raises"),
        pytest.param(hostile.Exiting, f"{FAILED} after row 1; the log says why.", id="exits"),
        pytest.param(hostile.NoRows, f"{FAILED} after row 0; the log says why.", id="no rows"),
        pytest.param(hostile.Quitting, f"{FAILED}; the log says why.", id="ends its process"),
        pytest.param(hostile.Writing, f"{FAILED} after row 0; the log says why.", id="writes"),
    ],
)
def test_failures(kind: type[Reader], message: str, caplog: pytest.LogCaptureFixture) -> None:
    """A reader that fails refuses the file; only the log has the text of its error."""
    assert refused(kind) == ("READER_ERROR", message)
    assert caplog.text


def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where."""
    refused(hostile.Raising)

    assert "reader 'acme' failed after row 7" in caplog.text
    assert "hostile_readers.py" in caplog.text
    assert "a secret" in caplog.text


def test_its_own_refusal() -> None:
    """A FileError has the reader's code and words."""
    assert refused(hostile.Refusing) == ("NO_STATEMENT", "Line 2 is no statement.")


@pytest.mark.parametrize(
    ("kind", "limits", "message"),
    [
        pytest.param(hostile.Hanging, SHORT, "The reader 'acme' takes more than 1 seconds to read "
                     "the file. Split it into smaller files.", id="sleeps"),
        pytest.param(hostile.Busy, SHORT, "The reader 'acme' takes more than 1 seconds to read "
                     "the file. Split it into smaller files.", id="computes"),
        pytest.param(hostile.Greedy, Limits(workbook_memory=256 * 1024**2), "The reader 'acme' "
                     "can't read the file with the memory that there is for it (256 MiB). Split "
                     "it into smaller files.", id="takes memory"),
        pytest.param(hostile.Crashing, Limits(), "The reader 'acme' can't read the file with the "
                     "memory that there is for it (2,048 MiB). Split it into smaller files.",
                     id="crashes as if it were out of memory"),
        pytest.param(hostile.Endless, Limits(max_rows=10_000), "The file has more than 10,000 "
                     "rows, the most that can be imported at once. Split it into smaller files.",
                     id="never ends"),
    ],
)  # fmt: skip
def test_too_much(kind: type[Reader], limits: Limits, message: str) -> None:
    """A reader that takes too much refuses its file, and nothing else comes to harm."""
    code, said = refused(kind, ROSTER, limits)

    assert code in ("TOO_LARGE", "TOO_MANY_ROWS")
    assert said == message


def test_what_it_prints(caplog: pytest.LogCaptureFixture) -> None:
    """It does no harm; the log has the first hundred lines."""
    with caplog.at_level(logging.WARNING):
        rows = list(opened(hostile.Chatty).rows)

    assert [number for number, _ in rows] == [2, 9]
    assert caplog.text.count("reader 'acme' printed: row") == 100


def test_what_it_starts() -> None:
    """Programs that it leaves behind end with it."""
    list(opened(hostile.Breeding).rows)

    # A killed process is there until the kernel has taken it away.
    until = time.monotonic() + 20
    while any("47.11" in command for command in processes()):
        assert time.monotonic() < until


def processes() -> list[str]:
    """The command lines of all processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets none of the server's environment, which holds the database's password."""
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    names = {cell for _, (cell,) in opened(hostile.Curious).rows}

    assert "PYTHONPATH" in names
    assert names & set(os.environ) <= {"PYTHONPATH", "LC_CTYPE"}


@pytest.mark.parametrize("kind", [hostile.Moody, hostile.Vague, hostile.Slow])
def test_takes(kind: type[Reader], caplog: pytest.LogCaptureFixture) -> None:
    """Of a file that it may have to read, no other reader is asked."""
    assert refused(kind) == ("READER_ERROR", f"{FAILED}; the log says why.")
    assert "reader 'acme'" in caplog.text
