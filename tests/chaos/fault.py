"""A fault: what happens, what is promised, and how it is staged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.run import Run
from tests.chaos.site import SiteOptions

PLAIN = SiteOptions()


class NotStagedError(Exception):
    """The fault can't be staged on this machine; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong.

    Args:
        name: what it is called on the command line and in the table.
        promise: what holds nevertheless.
        stage: has imports under way, does the harm, and waits for their end.
        rows: of each file.
        site: what the site has to be like.
    """

    name: str
    promise: str
    stage: Callable[[Run], Awaitable[None]]
    rows: int = 12_000
    site: SiteOptions = PLAIN
