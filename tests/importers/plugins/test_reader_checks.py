"""A reader that can't work is broken from the start, with what to do about it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from importers import Reader
from importers.plugins.registry import load
from tests.importers.plugins.test_registry import Good, Package, Point
from tests.importers.reading.isolated.hostile_readers import Lines, Twice


class NoMethods(Reader):
    """Reads nothing."""


class Async(Lines):
    async def takes(self, beginning: bytes, name: str) -> bool:  # type: ignore[override]
        return True

    async def rows(self, file: BinaryIO) -> AsyncIterator[Any]:  # type: ignore[override]
        yield 1, ["a"]


class OtherArguments(Lines):
    def takes(self, name: str) -> bool:  # type: ignore[override]
        return True


class WithTables(Lines):
    migrations = "acme.migrations"


class FromTheFuture(Lines):
    sdk = "9.0"


class WithLock(Lines):
    """Keeps what no other process can have."""

    def __init__(self, key: str = "", settings: Any = None) -> None:
        super().__init__(key, settings)
        self.lock = threading.Lock()


def reader_point(name: str, kind: Any) -> Any:
    return Point(name, kind, group="caseroll.readers", value="acme:Odd")


def loaded(tmp_path: Path, toml: str, *points: Any) -> Any:
    path = tmp_path / "plugins.toml"
    path.write_text(toml, encoding="utf-8")
    return load(path, found=points)


@pytest.mark.parametrize(
    ("kind", "problems"),
    [
        pytest.param(
            NoMethods,
            [
                "the class needs a method takes(beginning, name)",
                "the class needs a method rows(file)",
            ],
            id="nothing",
        ),
        pytest.param(
            Async,
            ["its takes is async, and is not awaited", "its rows is async, and is not awaited"],
            id="async",
        ),
        pytest.param(
            OtherArguments,
            ["its takes can't be called as takes(beginning, name)"],
            id="other arguments",
        ),
        pytest.param(
            WithTables, ["it names migrations, but readers have no tables"], id="migrations"
        ),
        pytest.param(
            FromTheFuture,
            ["it was written for version 9.0 of the SDK, and this is 1.0"],
            id="another version",
        ),
        pytest.param(
            WithLock,
            [
                "it can't be copied into the process that reads a file: cannot pickle "
                "'_thread.lock' object; define its class at the top of a module, and keep only "
                "plain values in it"
            ],
            id="what can't be copied",
        ),
        pytest.param(Good, ["acme:Odd is not a Reader class"], id="an importer"),
    ],
)
def test_broken(tmp_path: Path, kind: Any, problems: list[str]) -> None:
    """It is left out, and the others are on."""
    registry = loaded(
        tmp_path,
        "[readers.odd]\n[readers.lines]",
        reader_point("odd", kind),
        reader_point("lines", Lines),
    )
    lines, odd = registry.plugins

    assert (lines.state, odd.state, odd.kind) == ("on", "broken", "reader")
    assert list(odd.problems) == problems
    assert [reader.key for reader in registry.readers] == ["lines"]


def test_the_order(tmp_path: Path) -> None:
    """Readers are asked in the order of plugins.toml; those without a table are off."""
    points = [reader_point(name, Twice) for name in "abc"]
    registry = loaded(tmp_path, "[readers.c]\n[readers.a]", *points)

    assert [reader.key for reader in registry.readers] == ["c", "a"]
    assert [(each.name, each.state) for each in registry.plugins] == [
        ("a", "on"), ("b", "off"), ("c", "on"),
    ]  # fmt: skip


def test_an_old_file(tmp_path: Path) -> None:
    """A package that offers an importer does not offer a reader of that name."""
    registry = loaded(tmp_path, "[readers.one]", Point("one", Good, dist=Package("acme")))

    (found,) = [each for each in registry.plugins if each.kind == "reader"]
    assert found.reason == "no installed package offers this reader"
