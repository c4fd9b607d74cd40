"""Reports: what became of rows that were run, as tests write it down."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from importers.sdk.entities import Case, Role, User
from importers.sdk.records.record_change import RecordChange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from importers.run.planned_row import PlannedChange
    from importers.sdk.changes import Change
    from importers.testkit.memory_runner import RowEnd

RowReport = dict[str, Any]


def report_of(end: RowEnd) -> RowReport:
    """Write down what became of a row, without what there is nothing to say of."""
    plan, result = end
    report: RowReport = {"row": result.number}
    if result.outcome and all(map(_is_known, plan.changes)):
        report["outcome"] = result.outcome.name
    if result.message:
        report["message"] = result.message
    if result.outcome and plan.changes:
        report["asks"] = [_described(planned.change) for planned in plan.changes]
    for name, details in (("errors", result.errors), ("warnings", result.warnings)):
        if details:
            report[name] = [
                {key: value for key, value in detail.items() if value is not None}
                for detail in details
            ]
    return report


def _is_known(planned: PlannedChange) -> bool:
    """Tell whether the outcome of a change is known without the database."""
    return planned.rule is not None or isinstance(planned.change, RecordChange)


def _described(change: Change) -> dict[str, Any]:
    if isinstance(change, RecordChange):
        said = {name: _plain(value) for name, value in change._given.items()}
        return {"change": type(change).__name__, "record": change._declaration.noun, **said}
    values = {each.name: _plain(getattr(change, each.name)) for each in fields(change)}  # type: ignore[arg-type]
    given = {name: value for name, value in values.items() if value is not None}
    return {"change": type(change).__name__, **given}


def _plain(value: object) -> object:
    """Write a value down as a file would, or as JSON can."""
    if isinstance(value, Case | User):
        return value.tag_id or getattr(value, "email", None) or value.id
    if isinstance(value, Role):
        return value.key
    return value if isinstance(value, str | bool | int | float | None) else str(value)


def agrees(wanted: RowReport, found: RowReport) -> bool:
    """Tell whether a report is as expected, in all that is expected of it."""
    if any(wanted.get(name) != found.get(name) for name in ("row", "outcome")):
        return False
    if "message" in wanted and wanted["message"] != found.get("message"):
        return False
    if "asks" not in wanted and "outcome" not in found and "asks" in found:
        return False
    lists = ["errors", *(name for name in ("asks", "warnings") if name in wanted)]
    pairs = [(wanted.get(name, []), found.get(name, [])) for name in lists]
    return all(
        len(ours) == len(theirs)
        and all(each.items() <= other.items() for each, other in zip(ours, theirs, strict=True))
        for ours, theirs in pairs
    )


def written(reports: Sequence[RowReport], after_each: str = "") -> str:
    """Write reports as JSON, one a line."""
    lines = (json.dumps(report, ensure_ascii=False) for report in reports)
    return f"{after_each}\n".join(lines)


def read_reports(path: Path) -> list[RowReport]:
    """Read what `write_reports` has written, or a person by hand."""
    return list(json.loads(path.read_text(encoding="utf-8")))


def write_reports(path: Path, reports: Sequence[RowReport]) -> None:
    """Write what was found into a new file, unless it is plainly not what anybody expects.

    Raises:
        AssertionError: a plugin failed.
    """
    for report in reports:
        for error in report.get("errors", []):
            if error["code"] in ("IMPORTER_ERROR", "VALIDATOR_ERROR"):
                raise AssertionError(f"a plugin failed, the log says why: {report}")
    path.write_text(f"[\n{written(reports, ',')}\n]\n", encoding="utf-8")
