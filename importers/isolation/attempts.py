"""Attempts: how often work that ends its workers is begun again, and when it is not to blame."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from models.db import is_innocent

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_ATTEMPTS = 5
BLAMELESS_SECONDS = 10.0
PATIENCE_SECONDS = 15.0
"""For the database to come back, so that what became of work is on record. A worker that is told to
stop has no longer."""
# Each of so many rows may cost a chunk two more workers.
_MOST_CONDEMNED = 10


def most_attempts(condemned: Collection[int]) -> int:
    """Say how often a chunk is tried before all of its rows fail.

    Args:
        condemned: those of its rows that are known to end workers.
    """
    return MOST_ATTEMPTS + 2 * min(len(condemned), _MOST_CONDEMNED)


def is_blameless(error: BaseException, begun: float) -> bool:
    """Tell whether work that has just lost its transaction did so by no fault of its own.

    Work that lost it late may have been too slow, and would be so again.

    Args:
        error: how it was lost.
        begun: when the work was, by the monotonic clock.
    """
    return is_innocent(error) or time.monotonic() - begun < BLAMELESS_SECONDS
