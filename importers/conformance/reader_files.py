"""Whether a reader takes its own files alone, and copes with damaged ones."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

from importers.conformance.problem import Problem
from importers.conformance.subject import describe
from importers.isolation.guard import Guard
from importers.plugins.plugin_reader import TAKES_SECONDS
from importers.plugins.reader_checks import copy_problem, reader_problems
from importers.reading.format_reader import BEGINNING_BYTES, FileSource
from importers.reading.limits import Limits
from importers.reading.table import read_table
from importers.sdk.errors import FileRefusedError
from importers.sdk.plugin import version_problem
from importers.testkit.local_reader import LocalReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.record import Record
    from importers.sdk.reader import Reader

_OF_OTHERS = {
    "CSV text": (b"case_id,user_id\r\ntrv-001,jack-001\r\n", "assign_sample.csv"),
    "a workbook": (b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(20) + b"xl/workbook.xml", "Book1.xlsx"),
}
_REFUSE = (
    "What is wrong with a file is for the admin to know: check what `rows` reads, and raise"
    " FileError with the place and the reason."
)
_MOST_SECONDS = 10.0
_CUTS = 8


def check_reader_class(reader: Reader) -> Iterator[Problem]:
    """Find why Caseroll would not switch the reader on, and what its description lacks."""
    kind = type(reader)
    faults = [version_problem(kind.sdk), *reader_problems(kind), copy_problem(reader)]
    for fault in filter(None, faults):
        yield Problem("the class", fault, "Caseroll would not switch it on.")
    if not (kind.__doc__ or "").strip():
        yield Problem("the class", "it has no docstring", "Say in a sentence what it reads.")


def check_reader_files(reader: Reader, sample: bytes, name: str) -> Iterator[Problem]:
    """Ask whether it takes files, and let it read the sample, whole and damaged in many ways."""
    damaged = dict(_damaged(sample))
    yield from _check_takes(reader, {"the sample file": (sample, name)}, answer=True)
    yield from _check_takes(reader, _OF_OTHERS, answer=False)
    others = {what: (data, "") for what, data in damaged.items()}
    yield from _check_takes(reader, others, answer=None)
    if problem := _reading_problem(reader, sample, "the sample file"):
        yield problem
        return
    yield from _check_sample_rows(reader, sample)
    for what, data in damaged.items():
        if problem := _reading_problem(reader, data, what):
            yield problem
            return


def _check_takes(
    reader: Reader, files: dict[str, tuple[bytes, str]], *, answer: bool | None
) -> Iterator[Problem]:
    for what, (data, name) in files.items():
        where, guard = f"takes, for {what}", Guard("the reader", call_seconds=TAKES_SECONDS)
        try:
            found = guard.call(reader.takes, data[:BEGINNING_BYTES], name)
        except Exception as error:
            hint = "It is asked for every upload, whatever the file is."
            yield Problem(where, f"it fails: {describe(error)}", hint)
            return
        if not isinstance(found, bool):
            yield Problem(where, f"it returns {found!r:.80}", "Return True or False.")
            return
        if found and answer is False:
            hint = "Readers are asked before Caseroll's own: take what no other can read."
            yield Problem(where, "it takes the file", hint)
        if answer and not found:
            yield Problem(where, "it does not take the file", "Nothing would be read with it.")


def _check_sample_rows(reader: Reader, sample: bytes) -> Iterator[Problem]:
    first, again = _read(reader, sample), _read(reader, sample)
    if first != again:
        hint = "A reader keeps nothing between files."
        yield Problem("the sample file", "read again, it has other rows", hint)


def _reading_problem(reader: Reader, data: bytes, what: str) -> Problem | None:
    """Read a file; refusals are as good as rows, but not for the sample."""
    try:
        Guard("the reader", call_seconds=_MOST_SECONDS).call(_read, reader, data)
    except FileRefusedError as error:
        if what == "the sample file":
            return Problem(what, f"it is refused: {error}", "Give a file that can be imported.")
    except Exception as error:
        return Problem(what, f"the reader fails: {describe(error)}", _REFUSE)
    return None


def _read(reader: Reader, data: bytes) -> list[Record]:
    limits = Limits()
    source = FileSource(file=io.BytesIO(data), head=data, filename="", encoding=None, limits=limits)
    table = read_table(LocalReader(reader).open(source), limits)
    return [(table.header_row, list(table.header)), *table.rows]


def _damaged(sample: bytes) -> Iterator[tuple[str, bytes]]:
    """Make files of the sample, and others, that no reader expects."""
    chance = random.Random(1)  # noqa: S311 - the same files each time
    yield "an empty file", b""
    yield "a file of line ends", b"\r\n\n\r" * 9
    yield "a file of NULs", bytes(4096)
    yield "a file of random bytes", chance.randbytes(4096)
    yield "a text of one long line", b"x" * 2 * 1024 * 1024
    yield "a text of brackets", b"[{(<" * 50_000
    yield "the sample file after a byte order mark", b"\xef\xbb\xbf" + sample
    yield "the sample file in UTF-16", sample.decode("utf-8", "replace").encode("utf-16")
    yield "the sample file twice", sample + sample
    for part in range(1, _CUTS):
        yield f"the sample file, cut after {part}/{_CUTS}", sample[: len(sample) * part // _CUTS]
    for _ in range(_CUTS):
        place = chance.randrange(len(sample)) if sample else 0
        other = bytes([chance.randrange(256)])
        yield f"the sample file, damaged at byte {place}", sample[:place] + other + sample[place:]
