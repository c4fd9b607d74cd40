"""What a run of the benchmarks is told: how much, how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much is measured.

    Args:
        rows: of the imports that are timed.
        rounds: how often each thing is measured.
        workers: processes.
        types: of the imports that are compared with the same by hand.
        is_long: whether claims are to be made of it; else it is a quick look.
    """

    rows: int
    rounds: int
    workers: int
    types: Sequence[str]
    is_long: bool
