"""The options of a run: how many rows, how many rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much to measure.

    Args:
        rows: rows of each timed import.
        rounds: how often to measure each figure.
        workers: worker processes.
        types: import types to compare with the same work by hand.
        is_long: whether the figures are for publication; else it is a quick look.
    """

    rows: int
    rounds: int
    workers: int
    types: Sequence[str]
    is_long: bool
