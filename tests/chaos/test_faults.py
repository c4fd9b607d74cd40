"""Imports keep their promise through each fault: a short form of `make chaos`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.all_faults import FAULTS
from tests.chaos.report import FaultReport
from tests.chaos.site import Site
from tests.chaos.staging import open_site, stage_fault

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
    """One running Caseroll for all faults; each has cases, users and files of its own."""
    with open_site() as site:
        yield site


@pytest.mark.parametrize("name", QUICK)
async def test_fault(site: Site, name: str) -> None:
    """After a fault nothing is lost, doubled or wrong, and imports go on without help."""
    report = FaultReport(name)
    await stage_fault(site, FAULTS[name], report, f"test {name}", is_short=True)

    _assert_clean(report)


@pytest.mark.parametrize("phase", ["apply", "undo", "release", "atomic"])
async def test_phase(site: Site, phase: str) -> None:
    """Whatever imports are doing when all workers are killed, it is done once, and whole."""
    report = FaultReport(phase)
    fault = FAULTS["workers-killed"]
    await stage_fault(site, fault, report, f"test {phase}", is_short=True, phases=[phase])

    _assert_clean(report)


def _assert_clean(report: FaultReport) -> None:
    assert report.findings.details == []
    assert report.findings.rows > 0
    assert report.is_clean, f"an import made no progress for {report.slowest:.0f} s"
