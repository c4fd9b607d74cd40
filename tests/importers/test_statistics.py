"""After an import that may have filled tables, those that it has filled are analysed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asyncpg import Connection

from importers import statistics
from importers.statistics import analyze_after
from tests.importers.engine_fixture import EngineFixture


@pytest.mark.parametrize(("fewest", "looks"), [(2, 1), (3, 0)])
async def test_large_imports_look_at_the_tables(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, fewest: int, looks: int
) -> None:
    """An import with few rows is not worth the look."""
    seen = []

    async def look(db: Connection) -> None:
        seen.append(await db.fetchval("SELECT status FROM imports"))

    monkeypatch.setattr(statistics, "_FEWEST_ROWS", fewest)
    monkeypatch.setattr(statistics, "analyze_changed", look)
    import_id = await world.upload(
        "assign", "trv-001,jack-001,,staff,0", "trv-xx,jack-001,,staff,0"
    )
    await replace(world.engine, on_end=[analyze_after]).split(import_id, is_to_run=True)

    assert seen == ["PROCESSED"] * looks
