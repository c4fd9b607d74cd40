"""How far an import has come: as its page says it, and as it is said while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from api.console.live import stream_live
from api.console.paging import nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from api.console.language import Language
    from api.console.visit import Visit

# A speed that was measured for less than this says nothing of the time that is left.
_SURE_AFTER_SECONDS = 5
# Between two changes of the figures; more of them a second can't be read.
_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressLine:
    """How far an import has come.

    Args:
        rate: rows a second; blank before there is one.
        left: how long it will probably take; blank while that can't be said.
        quarter: what a reader of the screen hears, such as `25%`; blank before that.
    """

    percent: str
    share: float
    done: str
    rate: str
    left: str
    quarter: str


def describe_progress(
    language: Language, item: Mapping[str, Any], now: datetime | None = None
) -> ProgressLine:
    """Say how far an import has come.

    Args:
        item: the fields of `ImportProgress`.
        now: the present, if it is not.
    """
    quarters = int(item["progress"] * 4)
    speed = item["rowsPerSecond"] if item["status"] == "PROCESSING" else None
    return ProgressLine(
        percent=language.percent(item["progress"]),
        share=round(item["progress"], 4),
        done=", ".join(done_parts(language, item)),
        rate=language.number(_two_digits(speed)) if speed else "",
        left=_time_left(language, item, now or datetime.now(UTC)),
        quarter=language.percent(quarters / 4) if quarters else "",
    )


def done_parts(language: Language, item: Mapping[str, Any]) -> list[str]:
    """Write how many rows had which result, without those that no row had.

    Of a rehearsal, nothing is done.
    """
    plural = language.plural
    if item["dryRun"]:
        changes = {
            "created": language.text("%(n)s to create") % {"n": language.number(item["created"])},
            "updated": language.text("%(n)s to change") % {"n": language.number(item["updated"])},
            "removed": language.text("%(n)s to remove") % {"n": language.number(item["removed"])},
        }
    else:
        changes = {
            "created": plural("%(n)s created", "%(n)s created", item["created"]),
            "updated": plural("%(n)s changed", "%(n)s changed", item["updated"]),
            "removed": plural("%(n)s removed", "%(n)s removed", item["removed"]),
        }
    parts = changes | {
        "unchanged": plural("%(n)s unchanged", "%(n)s unchanged", item["unchanged"]),
        "failed": plural("%(n)s failed", "%(n)s failed", item["failed"]),
        "cancelled": plural("%(n)s not run", "%(n)s not run", item["cancelled"]),
    }
    return [part for name, part in parts.items() if item[name]]


async def live_import(visit: Visit) -> Response:
    """Send each state of an import until it is finished."""
    variables = {"id": visit.path("import_id")}
    return await stream_live(
        visit,
        "import_live",
        "parts/import_live.html",
        variables,
        prepare=_values_of_event,
        pause=_PAUSE_SECONDS,
    )


def _values_of_event(language: Language, data: dict[str, Any]) -> dict[str, Any]:
    item = data["importUpdated"]
    return {
        "item": item,
        "progress": describe_progress(language, item),
        "rows": nodes(item["rows"]),
    }


def _time_left(language: Language, item: Mapping[str, Any], now: datetime) -> str:
    start, end = item["startedAt"], item["estimatedEndAt"]
    if start is None or end is None:
        return ""
    if (now - datetime.fromisoformat(start)).total_seconds() < _SURE_AFTER_SECONDS:
        return ""
    return language.span(max(1, (datetime.fromisoformat(end) - now).total_seconds()))


def _two_digits(speed: float) -> int:
    """Round a speed to what is known of it.

    Example:
        >>> _two_digits(12_345.6), _two_digits(8.2)
        (12000, 8)
    """
    whole = max(1, round(speed))
    return round(whole, 2 - len(str(whole)))
