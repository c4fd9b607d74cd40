"""Files that a plugin reads are imported like any other, for every type."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from importers import Reader
from importers.plugins.plugin_reader import PluginReader
from importers.reading.limits import Limits
from tests.importers.engine_fixture import HEADERS, Counts, EngineFixture
from tests.importers.reading.isolated import hostile_readers as hostile

HEADER = [0, "case_id", "user_id", "case_role_id"]


def lines(*rows: list[Any]) -> bytes:
    """Write rows as the readers read them."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def reading(world: EngineFixture, kind: type[Reader] = hostile.Arrays) -> EngineFixture:
    """Return the same world, where a reader is switched on."""
    made = world.with_engine()
    return replace(made, engine=replace(made.engine, readers=[PluginReader(kind("acme"))]))


async def errors(world: EngineFixture, import_id: int) -> list[tuple[str, str]]:
    row = await world.fetchrow("SELECT errors FROM imports WHERE id = $1", import_id)
    return [(each["code"], each["message"]) for each in json.loads(row["errors"] or "[]")]


async def test_an_import(world: EngineFixture) -> None:
    """Rows have the reader's numbers, errors their columns; a retry corrects their cells."""
    engine = reading(world)
    good, bad = ["trv-001", "jack-001", "staff"], ["trv-001", "nobody", "staff"]
    import_id = await engine.run("assign", data=lines(HEADER, [3, *good], [70, *bad]))
    row = await engine.fetchrow("SELECT errors FROM import_rows WHERE status = 2")

    assert await engine.counts(import_id) == Counts("PROCESSED", 2, 1, 1, 0, 1, 0, 0, 0)
    assert [each["column"] for each in json.loads(row["errors"])] == ["user_id"]
    await engine.retry(import_id, {70: {"user_id": "jill-001"}})
    assert (await engine.counts(import_id)).created == 2


async def test_an_import_in_many_chunks(world: EngineFixture) -> None:
    """First results come early, and the rest is read on from there."""
    engine = reading(world.with_engine(chunk_rows=50))
    rows = [[n, "trv-001", f"nobody-{n}", "staff"] for n in range(1, 3_000)]
    import_id = await engine.run("assign", data=lines(HEADER, *rows))

    assert (await engine.counts(import_id)).failed == len(rows)


@pytest.mark.parametrize("type_", list(HEADERS))
async def test_every_type(world: EngineFixture, type_: str) -> None:
    """The reader knows nothing of types: each takes such files, and finds its columns."""
    engine = reading(world)
    names = HEADERS[type_].split(",")
    import_id = await engine.run(type_, data=lines([0, *names], [1, *["?"] * len(names)]))

    assert await errors(engine, import_id) == []
    assert (await engine.counts(import_id)).failed == 1


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        pytest.param(hostile.Arrays, lines([0, "case_id"], [1, "a"]), "MISSING_COLUMN",
                     id="another header"),
        pytest.param(hostile.Arrays, lines(HEADER), "NO_ROWS", id="no rows"),
        pytest.param(hostile.Arrays, lines(HEADER, [1, "a"], [1, "b"]), "READER_ERROR",
                     id="a number twice"),
        pytest.param(hostile.Arrays, lines(HEADER) + b"[1, ", "READER_ERROR", id="a broken line"),
        pytest.param(hostile.Moody, lines(HEADER, [1, "a"]), "READER_ERROR", id="takes fails"),
    ],
)  # fmt: skip
async def test_refused(world: EngineFixture, kind: type[Reader], data: bytes, code: str) -> None:
    """A file that can't be read is refused as a whole."""
    engine = reading(world, kind)
    import_id = await engine.run("assign", data=data)

    assert (await engine.counts(import_id)).status == "FAILED"
    assert (await errors(engine, import_id))[0][0] == code


async def test_no_end(world: EngineFixture) -> None:
    """The limits are the engine's: a reader that never ends refuses its file."""
    engine = reading(world.with_engine(limits=Limits(max_rows=2_000)), hostile.EndlessArrays)
    import_id = await engine.run("assign", data=b"[]")

    assert [each for each, _ in await errors(engine, import_id)] == ["TOO_MANY_ROWS"]


async def test_another_file(world: EngineFixture) -> None:
    """CSV text is read as ever."""
    import_id = await reading(world).run("assign", "trv-001,jack-001,,staff,0")

    assert (await world.counts(import_id)).created == 1


async def test_a_reader_that_ends_its_workers(world: EngineFixture) -> None:
    """After five attempts the file is refused, also for a type of Caseroll's own."""
    import_id = await world.upload("assign", data=lines(HEADER, [1, "a"]))
    await world.execute("UPDATE imports SET split_attempts = 5 WHERE id = $1", import_id)
    engine = reading(world)
    await engine.engine.split(import_id)

    assert [each for each, _ in await errors(engine, import_id)] == ["IMPORTER_ERROR"]
