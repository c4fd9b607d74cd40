"""A preview and an import of the same file never disagree."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from importers import Importer
from importers.builtin.add_users import AddUsers
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.remove import RemoveUsers
from importers.reading.beginning import Beginning, read_beginning
from importers.reading.limits import Limits
from importers.rows.header_mapping import HeaderMapping
from importers.rows.layout import layout_of
from importers.rows.preview import PreviewedHeader, preview_header, refusals
from importers.sdk.errors import ErrorDetail, FileRefusedError
from importers.split.file_rows import OpenedFile
from tests.fuzz.check_reading import workbooks_here
from tests.fuzz.random_file import make_file

LIMITS = Limits(max_columns=20)
TYPES: list[Importer] = [AssignUsers(), ModifyAssignments(), RemoveUsers(), AddUsers()]
for each, key in zip(TYPES, ("assign", "modify", "remove", "add-users"), strict=True):
    each.key = key
HEADER = b"case_id,user_id,case_role_id\r\n"
GOOD = HEADER + b"".join(b"trv-%d,jack-%d,staff\r\n" % (n, n) for n in range(50))
NO_MAPPING = HeaderMapping()


class Imported(NamedTuple):
    """What an import reads of a file, and why it is refused."""

    rows: list[tuple[int, list[str]]]
    errors: list[ErrorDetail]
    warnings: list[ErrorDetail]


def imported(content: bytes, declared: str | None, importer: Importer) -> Imported:
    """Read a file as splitting does."""
    work: Any = SimpleNamespace(file_name="May.csv", declared_encoding=declared)
    rows: list[tuple[int, list[str]]] = []
    try:
        file = OpenedFile(io.BytesIO(content), work, LIMITS)
        table = file.table
        layout_of(table.header, importer, TYPES, below=table.below, first_column=table.first_column)
        for batch in table.batches:
            rows += batch.records()
    except FileRefusedError as error:
        return Imported(rows, list(error.errors), [])
    return Imported(rows, [], table.warnings)


def previewed(
    content: bytes,
    declared: str | None = None,
    importer: Importer | None = TYPES[0],
    *,
    size: int | None = None,
    mapping: HeaderMapping = NO_MAPPING,
) -> tuple[Beginning, PreviewedHeader]:
    """Look at a file, or at the beginning of a file of `size` bytes."""
    beginning = read_beginning(
        io.BytesIO(content),
        filename="May.csv",
        encoding=declared,
        size=len(content) if size is None else size,
        limits=LIMITS,
    )
    return beginning, preview_header(beginning.table, importer, TYPES, mapping)


@pytest.mark.parametrize("block", range(20))
def test_any_file(block: int) -> None:
    """Files made at random, odd and damaged ones among them, are seen as they are imported."""
    with workbooks_here():
        for seed in range(block * 25, block * 25 + 25):
            file = make_file(seed)
            beginning, header = previewed(file.content, file.declared)
            found = imported(file.content, file.declared, TYPES[0])
            errors = refusals(beginning, header)

            assert errors[: len(found.errors)] == found.errors, seed
            assert bool(errors) == bool(found.errors), seed
            if not header.errors and not beginning.unreadable:
                assert list(beginning.rows) == found.rows[:10], seed
            if not found.errors and beginning.is_whole:
                assert beginning.rows_seen == len(found.rows), seed
                assert getattr(beginning.table, "warnings", None) == found.warnings, seed


@pytest.mark.parametrize("importer", TYPES, ids=lambda each: each.key)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD, id="good"),
        pytest.param(GOOD.replace(b",", b";"), id="semicolons"),
        pytest.param(b"sep=|\n" + GOOD.replace(b",", b"|"), id="sep="),
        pytest.param("\ufeff".encode() + GOOD, id="a mark"),
        pytest.param(GOOD.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(GOOD + b"Jos\xe9,a,b\r\n", id="a bad byte"),
        pytest.param(GOOD + b'"x', id="an open quote"),
        pytest.param(GOOD + b'"x"y,\r\n', id="a bad quote"),
        pytest.param(GOOD + b"a,\0,c\r\n", id="a NUL"),
        pytest.param(b"Cases of May\r\n\r\n" + GOOD, id="a title"),
        pytest.param(b"\r\n\r\n" + GOOD, id="blank lines"),
        pytest.param(HEADER, id="no rows"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"user_id,case_id\r\njack-1,trv-1\r\n", id="remove"),
        pytest.param(b"username,locale\r\na@example.org,en\r\n", id="add-users"),
        pytest.param(b"case-id,User ID,case role id,notes\r\na,b,c,d\r\n", id="unknown"),
        pytest.param(b"case_id,case_id,user_id,case_role_id\r\na,b,c,d\r\n", id="twice"),
        pytest.param(b"%PDF-1.7", id="PDF"),
        pytest.param(b"<html><table>", id="HTML"),
        pytest.param(GOOD.replace(b"user_id", b"usr_id"), id="misspelt"),
    ],
)
def test_odd_files(content: bytes, importer: Importer) -> None:
    """A preview says what an import says, of each type."""
    beginning, header = previewed(content, importer=importer)
    found = imported(content, None, importer)

    errors = refusals(beginning, header)
    assert errors[: len(found.errors)] == found.errors
    assert bool(errors) == bool(found.errors)
    if not found.errors:
        assert (list(beginning.rows), beginning.rows_seen) == (found.rows[:10], len(found.rows))
        assert beginning.is_whole


@pytest.mark.parametrize("cut", [0, 1, 10, 29, 30, 31, 40, 51, 52, 53, 100, len(GOOD) - 1])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_where_it_is_cut(cut: int, codec: str) -> None:
    """A cut file shows the rows before its cut, and nothing is wrong with it."""
    content = GOOD.decode().encode(codec)
    beginning, header = previewed(content[:cut], size=len(content))
    rows = imported(content, None, TYPES[0]).rows

    assert refusals(beginning, header) == [] or cut == 0
    assert not beginning.is_whole
    assert list(beginning.rows) == rows[: min(10, beginning.rows_seen)]
    assert beginning.rows_seen < len(rows)


def test_no_more_than_the_beginning_is_read() -> None:
    """What is sent beyond 64 KiB changes nothing."""
    content = HEADER + b"trv-001,jack-001,staff\r\n" * 4_000 + b"\xff"
    beginning, header = previewed(content)
    cut, of_cut = previewed(content[: 64 * 1024], size=len(content))

    assert (beginning.rows, beginning.rows_seen, beginning.is_whole) == (
        cut.rows,
        cut.rows_seen,
        cut.is_whole,
    )
    assert (beginning.rows_seen, beginning.is_whole) == ((64 * 1024 - 30) // 24, False)
    assert refusals(beginning, header) == refusals(cut, of_cut) == []


def test_what_names_mean() -> None:
    """Each name is a column, ignored, or unknown, perhaps with what it was meant for."""
    content = b"Case-ID,usr_id,case_role_id,errors,Notes\r\na,b,c,d,e\r\n"
    _, header = previewed(content)

    assert [
        (each.name, each.column, each.is_ignored, each.suggestion) for each in header.columns
    ] == [
        ("Case-ID", "case_id", False, None),
        ("usr_id", None, False, "user_id"),
        ("case_role_id", "case_role_id", False, None),
        ("errors", None, True, None),
        ("Notes", None, False, None),
    ]
    assert list(header.missing) == ["user_id"]
    assert [error.code for error in header.errors] == [
        "UNKNOWN_COLUMN",
        "UNKNOWN_COLUMN",
        "MISSING_COLUMN",
    ]


def test_a_mapping() -> None:
    """A mapping makes names known, or has them passed over."""
    content = b"Case-ID,Person,case_role_id,Notes\r\na,b,c,e\r\n"
    mapping = HeaderMapping(columns={"person": "user_id"}, ignored=("Notes",))
    _, header = previewed(content, mapping=mapping)

    assert [each.column for each in header.columns] == ["case_id", "user_id", "case_role_id", None]
    assert [each.is_ignored for each in header.columns] == [False, False, False, True]
    assert (header.missing, header.errors) == ([], ())


@pytest.mark.parametrize(
    ("content", "importer", "suggested"),
    [
        (b"username,locale\r\na,en\r\n", TYPES[0], "add-users"),
        (b"user_id,case_id\r\na,b\r\n", TYPES[0], None),
        (b"username,locale\r\na,en\r\n", None, "add-users"),
        (b"user_id,case_id\r\na,b\r\n", None, None),
        (b"user_id,case_id,case_role_id\r\na,b,c\r\n", None, None),
        (b"x,y\r\na,b\r\n", None, None),
        (GOOD, TYPES[0], None),
    ],
)
def test_a_suggested_type(content: bytes, importer: Importer | None, suggested: str | None) -> None:
    """The type that a file was meant for, if only one can be meant, and never one that removes."""
    _, header = previewed(content, importer=importer)

    assert header.suggested_type == suggested
    assert importer or not header.errors
