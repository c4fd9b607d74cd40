"""The promise of the engine, fault by fault, in a short form of `make chaos`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.catalogue import FAULTS
from tests.chaos.play import open_site, play
from tests.chaos.site import Site
from tests.chaos.table import Line

QUICK = [
    "worker-killed",
    "postgres-restarted",
    "connections-terminated",
    "valkey-flushed",
    "messages-doubled",
    "upload-cut",
    "api-restarted",
    "same-pairs",
]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One running Caseroll for all faults; each has people and files of its own."""
    with open_site() as site:
        yield site


@pytest.mark.parametrize("name", QUICK)
async def test_fault(site: Site, name: str) -> None:
    """What is lost, doubled or wrong after a fault is nothing, and imports go on by themselves."""
    line = Line(name)
    await play(site, FAULTS[name], line, f"test {name}", is_short=True)

    assert line.findings.details == []
    assert line.findings.rows > 0
    assert line.is_clean, f"an import stood still for {line.slowest:.0f} s"
