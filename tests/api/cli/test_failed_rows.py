"""Why an import has no file of failed rows."""

from __future__ import annotations

import pytest

from api.cli.failed_rows import _why_there_is_no_file


@pytest.mark.parametrize(
    ("finished", "purged", "message"),
    [
        (None, None, "the import 'May' is still running; try again when it has ended."),
        ("2026-03-01T09:00:00", None, "no row of the import 'May' failed."),
        (
            "2026-03-01T09:00:00",
            "2026-06-01T09:00:00",
            "the rows of the import 'May' were removed on 2026-06-01.",
        ),
    ],
)
def test_why_there_is_no_file(finished: str | None, purged: str | None, message: str) -> None:
    """An import that runs, one without failed rows, and one that is kept no longer."""
    found = {"name": "May", "finishedAt": finished, "purgedAt": purged, "total": 1}

    assert _why_there_is_no_file(found) == message


def test_a_refused_file() -> None:
    """An import whose file was refused has no rows at all."""
    found = {"name": "May", "finishedAt": "2026-03-01T09:00:00", "purgedAt": None, "total": 0}

    assert _why_there_is_no_file(found) == "the import 'May' has no rows."
