"""Opening a site, and staging a fault on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import aiohttp

from tests.chaos.client import Client
from tests.chaos.fault import Fault
from tests.chaos.report import FaultReport
from tests.chaos.run import PHASES, Run
from tests.chaos.site import Site, SiteOptions


@contextmanager
def open_site(options: SiteOptions | None = None) -> Iterator[Site]:
    """Run a site in a temporary folder; print the end of its log when an exception ends it."""
    with tempfile.TemporaryDirectory(prefix="caseroll-chaos-") as folder:
        site = Site(Path(folder), options)
        try:
            with site:
                yield site
        except Exception:
            log = Path(folder, "log")
            if log.exists():
                print(*log.read_text(errors="replace").splitlines()[-40:], sep="\n")
            raise


async def stage_fault(
    site: Site,
    fault: Fault,
    report: FaultReport,
    seed: str,
    *,
    is_short: bool = False,
    phases: Sequence[str] = tuple(PHASES),
) -> None:
    """Stage a fault once, and add the result to its report.

    Args:
        phases: what imports may be doing when the fault comes.
    """
    await site.is_ready()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        client = Client(site.url, site.token, http)
        rows = fault.rows // 6 if is_short else fault.rows
        run = Run(site, client, Random(seed), rows, is_short=is_short, phases=phases)
        await fault.stage(run)
    report.staged += await run.hits()
    report.imports += run.uploads
    report.slowest = max(report.slowest, run.standstill)
    report.findings.add(run.findings)
