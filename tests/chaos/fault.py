"""A fault: what breaks, what Caseroll promises, and how the fault is staged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.run import Run
from tests.chaos.site import SiteOptions

PLAIN = SiteOptions()


class NotStagedError(Exception):
    """This machine can't stage the fault; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that breaks.

    Args:
        name: as on the command line and in the report.
        promise: what holds all the same.
        stage: starts imports, breaks something, and waits for the imports' end.
        rows: how many each file has.
        site: options of the site that it needs.
    """

    name: str
    promise: str
    stage: Callable[[Run], Awaitable[None]]
    rows: int = 12_000
    site: SiteOptions = PLAIN
