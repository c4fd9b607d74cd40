"""Attempts: how often work that ends its workers is tried, and which attempts do not count."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from models.db import is_innocent

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_ATTEMPTS = 5
# Shorter than what PostgreSQL grants a silent transaction: work that lost its own this early was
# not slow.
BLAMELESS_SECONDS = 10.0
PATIENCE_SECONDS = 15.0
"""How long to wait for the database, to record what became of work; a worker that has to stop is
killed a little later."""
# Each of these rows at most may cost a chunk two more workers.
_MOST_CONDEMNED = 10


def most_attempts(condemned: Collection[int]) -> int:
    """Return how often a chunk is tried before all of its rows fail.

    Args:
        condemned: those of its rows that are known to end workers.
    """
    return MOST_ATTEMPTS + 2 * min(len(condemned), _MOST_CONDEMNED)


def is_blameless(error: BaseException, begun: float) -> bool:
    """Tell whether work that has just lost its transaction did so by no fault of its own.

    Work that lost it late may have been too slow, and would be again.

    Args:
        error: the transaction's end.
        begun: the start of the work, by the monotonic clock.
    """
    return is_innocent(error) or time.monotonic() - begun < BLAMELESS_SECONDS
