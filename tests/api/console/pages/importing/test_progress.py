"""What is said of an import while it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.console.language import Language
from api.console.pages.importing.progress import describe_progress, done_parts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENGLISH = Language("en")


def running(**changes: Any) -> dict[str, Any]:
    """A running import, as the operation has it."""
    counts = dict.fromkeys(("created", "updated", "removed", "unchanged", "failed", "cancelled"), 0)
    return {
        **counts,
        "status": "PROCESSING",
        "dryRun": False,
        "progress": 0.437,
        "rowsPerSecond": 12_345.6,
        "startedAt": (NOW - timedelta(seconds=10)).isoformat(),
        "estimatedEndAt": (NOW + timedelta(seconds=40)).isoformat(),
        **changes,
    }


def test_figures() -> None:
    """Speed and time are rounded to what is known of them; the part that is done, down."""
    line = describe_progress(ENGLISH, running(), NOW)

    assert (line.percent, line.rate, line.left) == ("43%", "12,000", "40 seconds")


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({}, ["2 created", "1 changed", "3 removed", "1 failed"]),
        ({"dryRun": True}, ["2 to create", "1 to change", "3 to remove", "1 failed"]),
    ],
)
def test_done_parts(changes: dict[str, Any], done: list[str]) -> None:
    """Nothing is said to be done of a rehearsal."""
    item = running(created=2, updated=1, removed=3, failed=1, **changes)

    assert done_parts(ENGLISH, item) == done


@pytest.mark.parametrize(("age", "left"), [(4.9, ""), (5, "40 seconds")])
def test_time_left(age: float, left: str) -> None:
    """What is left is not said in the first five seconds."""
    started = (NOW - timedelta(seconds=age)).isoformat()

    assert describe_progress(ENGLISH, running(startedAt=started), NOW).left == left


@pytest.mark.parametrize(
    "changes", [{"estimatedEndAt": None}, {"startedAt": None}], ids=["unknown", "not begun"]
)
def test_nothing_is_guessed(changes: dict[str, None]) -> None:
    """Without an estimate there is no time."""
    assert not describe_progress(ENGLISH, running(**changes), NOW).left


def test_no_speed_while_it_waits() -> None:
    """A retry that waits has the speed of its last run, which is no speed now."""
    assert not describe_progress(ENGLISH, running(status="QUEUED"), NOW).rate


@pytest.mark.parametrize(
    ("progress", "said"), [(0.2499, ""), (0.25, "25%"), (0.7, "50%"), (0.99, "75%"), (1, "100%")]
)
def test_quarters(progress: float, said: str) -> None:
    """Quarters are announced, and nothing between them."""
    assert describe_progress(ENGLISH, running(progress=progress), NOW).quarter == said


def test_results() -> None:
    """Results that no row had are left out."""
    item = running(created=12_201, unchanged=162, failed=37)

    assert done_parts(ENGLISH, item) == ["12,201 created", "162 unchanged", "37 failed"]
