"""Every table that is written is read as the same table; damaged files are read or refused."""

from __future__ import annotations

import csv
import io
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers.reading.limits import Limits
from importers.reading.table import Table, check_head, open_table
from importers.sdk.errors import FileRefusedError


def opened(data: bytes, encoding: str | None = None) -> Table:
    return open_table(io.BytesIO(data), filename="roster.csv", encoding=encoding, limits=Limits())


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"])
    | st.sampled_from(",;\t|\"'\r\n=+- \u00a0"),
    max_size=12,
)
NAME = st.from_regex(r"[a-z][a-z_ ]{0,8}[a-z]", fullmatch=True)
SETTINGS = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    header = draw(
        st.lists(NAME, min_size=2, max_size=5).filter(lambda names: "sep" not in names[0])
    )
    row = st.lists(CELL, min_size=len(header), max_size=len(header))
    body = draw(st.lists(row, min_size=1, max_size=5).filter(lambda b: any("".join(b[0]).split())))
    return header, body


@SETTINGS
@given(
    table=tables(),
    form=st.tuples(st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"])),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    is_quoted=st.booleans(),
    has_sep_line=st.booleans(),
)
def test_what_is_written_is_read(
    table: tuple[list[str], list[list[str]]],
    form: tuple[str, str],
    encoding: str,
    is_quoted: bool,
    has_sep_line: bool,
) -> None:
    """A table that is written to a file is read unchanged, in any delimiter, encoding, line end."""
    header, body = table
    delimiter, newline = form
    # Python's writer leaves a CR without quotes where lines do not end in CR.
    has_line_end = any(end in cell for cells in body for cell in cells for end in "\r\n")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if is_quoted or has_line_end else csv.QUOTE_MINIMAL
    buffer = io.StringIO(newline="")
    if has_sep_line:
        buffer.write(f"sep={delimiter}{newline}")
    csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows(
        [header, *body]
    )

    read = opened(buffer.getvalue().encode(encoding), "gb18030" if encoding == "gb18030" else None)

    assert read.header == tuple(header)
    assert list(read.rows) == [
        (number, cells) for number, cells in enumerate(body, 2) if any(c.strip() for c in cells)
    ]


@SETTINGS
@given(table=tables(), block=st.integers(1, 40), newline=st.sampled_from(["\n", "\r\n", "\r"]))
def test_it_does_not_matter_where_blocks_end(
    table: tuple[list[str], list[list[str]]], block: int, newline: str
) -> None:
    """Blocks may end anywhere, also within a record of many lines; each row keeps its number."""
    header, body = table
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *body, *body])
    data = buffer.getvalue().encode()

    whole = list(opened(data).rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("importers.reading.encoding.BLOCK_BYTES", block)
        batches = list(opened(data).batches)

    assert [record for batch in batches for record in batch.records()] == whole
    assert all(batch.numbers for batch in batches)


SAMPLES = (
    b'sep=;\r\ncase_id;user_id\r\ntrv-001;"jack\r\n001"\r\n\r\n;\r\n1;2;3\r\n',
    "\ufeffcase_id,user_id,,\n'=1,José,,\n".encode(),
    "case_id\tuser_id\r1\t\U0001f600\r".encode("utf-16"),
)


@settings(max_examples=300, deadline=None)
@given(
    sample=st.sampled_from(SAMPLES),
    flips=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 200),
    declared=st.sampled_from([None, "windows-1252", "shift-jis", "utf-16-be"]),
)
def test_a_damaged_file_is_read_or_refused(
    sample: bytes, flips: list[tuple[int, int]], end: int, declared: str | None
) -> None:
    """Damage raises no other error, and a head is refused only if the file is refused too."""
    damaged = bytearray(sample)
    for place, byte in flips:
        damaged[place % len(damaged)] = byte
    is_refused = is_head_refused = False

    try:
        list(opened(bytes(damaged), declared).rows)
    except FileRefusedError:
        is_refused = True
    try:
        check_head(bytes(damaged[: end + 1]), filename="a", encoding=declared, limits=Limits())
    except FileRefusedError:
        is_head_refused = True

    assert is_refused or not is_head_refused
