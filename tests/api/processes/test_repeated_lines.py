"""Log lines that are repeated."""

from __future__ import annotations

import logging
from unittest.mock import patch

from api.processes.repeated_lines import RepeatedLines


def _record(text: str, *, level: int = logging.WARNING, name: str = "a") -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, "%s", (text,), None)


def test_equal_warnings_are_logged_once_a_minute() -> None:
    lines = RepeatedLines()
    with patch("api.processes.repeated_lines.time.monotonic") as now:
        now.return_value = 0.0
        said = [lines.filter(_record(text)) for text in ("away", "away", "back", "away")]
        now.return_value = 59.0
        said.append(lines.filter(_record("away")))
        now.return_value = 60.0
        said.append(lines.filter(_record("away")))
    assert said == [True, False, True, False, False, True]


def test_other_loggers_news_and_tracebacks_stay() -> None:
    lines = RepeatedLines()
    with_traceback = _record("away", level=logging.ERROR)
    with_traceback.exc_info = (ValueError, ValueError(), None)
    news = _record("started", level=logging.INFO)
    kept = [lines.filter(each) for each in (_record("away"), _record("away", name="b"))]
    kept += [lines.filter(each) for each in (with_traceback, with_traceback, news, news)]
    assert all(kept)
