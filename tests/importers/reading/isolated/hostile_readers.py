"""Readers that do what none must do; the process that reads a file imports them from here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO

from importers import FileError, Reader


class Lines(Reader):
    """Reads JSON arrays, one on each line, the first element the number of the row."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return name.endswith(".lines")

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        for line in file:
            number, *cells = json.loads(line)
            yield number, cells


class Arrays(Lines):
    """Takes what begins with an array, whatever its name."""

    def takes(self, beginning: bytes, name: str) -> bool:
        return beginning.startswith(b"[")


class Endless(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        for number in count():
            yield number, ["case_id"]


class EndlessArrays(Arrays):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 0, ["case_id", "user_id", "case_role_id"]
        for number in count(1):
            yield number, ["trv-001", "jack-001", "staff"]


class Hanging(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        time.sleep(60)
        yield from ()


class Busy(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        while True:
            pass


class Greedy(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        hoard = []
        while True:
            hoard.append(bytearray(16 * 1024**2))
        yield hoard


class Quitting(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 1, ["case_id"]
        os._exit(0)


class Exiting(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 1, ["case_id"]
        sys.exit("enough")


class Crashing(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        os.kill(os.getpid(), signal.SIGSEGV)
        yield 1, ["case_id"]


class Raising(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 1, ["case_id"]
        yield 7, ["trv-001"]
        raise KeyError("a secret")


class Refusing(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 1, ["case_id"]
        raise FileError("NO_STATEMENT", "Line {line} is no statement.", line=2)


class Chatty(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        for number in range(1, 200):
            print("row", number)
        os.write(1, b'["end", null]\n')
        print("\ud800", file=sys.stderr)
        yield from super().rows(file)


class Breeding(Lines):
    """Starts a program that outlives it, and one by a fork."""

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        subprocess.Popen(["sleep", "47.11"])
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "47.11"])
        yield from super().rows(file)


class Writing(Lines):
    def rows(self, file: BinaryIO) -> Iterator[Any]:
        with open("/tmp/hostile-reader", "wb") as made:  # noqa: PTH123
            made.write(b"x" * 100_000)
        yield from super().rows(file)


class Curious(Lines):
    """Shows what it knows of the process."""

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        yield 0, ["name"]
        for number, name in enumerate(sorted(os.environ), 1):
            yield number, [name]


class Twice(Lines):
    """Reads the file two times."""

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        size = len(file.read())
        file.seek(0)
        yield 0, ["size", "case_id"]
        for number, line in enumerate(file, 1):
            yield number, (str(size), line.decode().strip())


class Delimited(Lines):
    """Reads lines whose cells are parted as the settings say."""

    @dataclass(frozen=True)
    class Settings:
        delimiter: str = "/"

    settings: Settings

    def rows(self, file: BinaryIO) -> Iterator[Any]:
        for number, line in enumerate(file):
            yield number, line.decode().strip().split(self.settings.delimiter)


class NoRows(Lines):
    def rows(self, file: BinaryIO) -> Any:
        return None


class Moody(Lines):
    """Fails when it is asked whether it takes a file."""

    def takes(self, beginning: bytes, name: str) -> bool:
        raise KeyError("a secret")


class Vague(Lines):
    def takes(self, beginning: bytes, name: str) -> bool:
        return name and beginning  # type: ignore[return-value]


class Slow(Lines):
    def takes(self, beginning: bytes, name: str) -> bool:
        while True:
            pass
