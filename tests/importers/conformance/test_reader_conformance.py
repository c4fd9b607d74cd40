"""What the checks that every reader has to pass let pass, and what they tell of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from importers import FileError, Reader
from importers.testing import check_reader

SAMPLE = "#pairs\ntrv-001=jack-001\ntrv-002=jo-001\n"


class Pairs(Reader):
    """Read pairs of a case and a user: a good reader."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return beginning.startswith(b"#pairs")

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 1, ["case_id", "user_id"]
        for number, line in enumerate(file, 1):
            if number > 1:
                yield number, line.decode("utf-8", "replace").strip().split("=")[:50]


class Everything(Pairs):
    """Takes any file."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return True


class Nothing(Pairs):
    """Takes no file."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return False


class Jumpy(Pairs):
    """Can't be asked about a file without a name."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return name[-1] == "s" and super().takes(beginning, name)


class Vague(Pairs):
    """Does not answer."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return None  # type: ignore[return-value]


class Strict(Pairs):
    """Takes for granted what its files are."""

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 1, ["case_id", "user_id"]
        for number, line in enumerate(file.read().decode().splitlines()[1:], 2):
            case, user = line.split("=")
            yield number, [case, user]


class Polite(Strict):
    """Says what is wrong."""

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        try:
            yield from super().rows(file)
        except ValueError as error:
            raise FileError("NO_PAIRS", "The file has no pairs.") from error


class Numberless(Pairs):
    """Yields no numbers."""

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield from (cells for _, cells in super().rows(file))


class Forgetful(Pairs):
    """Remembers the files before."""

    seen = 0

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        type(self).seen += 1
        yield 1, ["case_id", "user_id"]
        yield 2, ["trv-001", f"jo-{self.seen}"]


class Async(Pairs):
    """Awaits."""

    async def takes(self, beginning: bytes, name: str) -> bool:  # type: ignore[override]
        return True


class Silent(Pairs):
    pass


Silent.__doc__ = None


def problems(reader: type[Reader], sample: str = SAMPLE) -> str:
    with pytest.raises(AssertionError) as caught:
        check_reader(reader, sample, "roster.pairs")
    return str(caught.value)


@pytest.mark.parametrize("reader", [Pairs, Polite, Pairs("pairs")])
def test_good_readers(reader: Any) -> None:
    """A reader that takes its own files, and reads or refuses what comes, has no problem."""
    assert check_reader(reader, SAMPLE) is None  # type: ignore[func-returns-value]


def test_samples(tmp_path: Path) -> None:
    """The sample may be a file, of which the name counts, or bytes."""
    path = tmp_path / "roster.pairs"
    path.write_text(SAMPLE)

    for sample in (path, SAMPLE.encode()):
        assert check_reader(Pairs, sample) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        pytest.param(Everything, "takes, for CSV text: it takes the file", id="takes CSV"),
        pytest.param(Everything, "takes, for a workbook: it takes the file", id="takes workbooks"),
        pytest.param(Nothing, "takes, for the sample file: it does not take", id="takes nothing"),
        pytest.param(Jumpy, "takes, for an empty file: it fails: IndexError", id="takes fails"),
        pytest.param(Vague, "takes, for the sample file: it returns None", id="no answer"),
        pytest.param(Strict, "the reader fails: ", id="fails on damaged files"),
        pytest.param(Strict, "raise FileError with the place", id="says what to do"),
        pytest.param(Numberless, "it yields ['case_id', 'user_id'], which is no pair of a number "
                     "and cells", id="no numbers"),
        pytest.param(Forgetful, "read again, it has other rows", id="keeps something"),
        pytest.param(Async, "its takes is async", id="async"),
        pytest.param(Silent, "it has no docstring", id="no docstring"),
    ],
)  # fmt: skip
def test_bad_readers(reader: type[Reader], told: str) -> None:
    """Each rule that is broken is told, with what to do."""
    assert told in problems(reader)


def test_a_bad_sample() -> None:
    """A sample that can't be imported shows nothing."""
    assert "the sample file: it is refused: The file has a header row and nothing" in problems(
        Pairs, "#pairs\n"
    )


def test_a_class_that_can_not_be_copied() -> None:
    """A class inside a function is found in no other process."""

    class Local(Pairs):
        """Is nowhere to be found."""

    assert "it can't be copied into the process that reads a file" in problems(Local)
