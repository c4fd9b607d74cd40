"""The tab of the log: what was done with an import, by which token and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from api.console.pages.importing.import_page import load_import_page, show_import_page
from api.console.paging import PageLinks, nodes, page_links, page_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.responses import Response

    from api.console.visit import Visit

# The audit trail says how an import began; without it, the import does.
_BEGINNINGS = ("IMPORT_CREATED", "IMPORT_APPLIED", "IMPORT_UNDONE")


class LogEntry(NamedTuple):
    """One thing that was done with an import, or that became of it.

    Args:
        what: an action of the audit trail, or `STARTED`, `HELD`, `APPLIED_AS`, `UNDONE_BY` or
            `ENDED`.
        actor: the name of the token; None for what a worker has done.
        other: the import that it has to do with.
    """

    at: str
    what: str
    actor: str | None = None
    other: Mapping[str, Any] | None = None


async def show_log(visit: Visit) -> Response:
    """Show the log, newest first; the audit trail is for ADMIN tokens."""
    is_first = not (visit.argument("after") or visit.argument("before"))
    data = await load_import_page(
        visit, "import_log", isAdmin=visit.is_admin, **page_variables(visit)
    )
    trail = data.get("auditEvents")
    entries = list_entries(data["import"], nodes(trail) if trail else [], is_first=is_first)
    links = page_links(visit, trail) if trail else PageLinks(None, None)
    return show_import_page(visit, "log", data, entries=entries, links=links)


def list_entries(
    item: Mapping[str, Any], events: Iterable[Mapping[str, Any]], *, is_first: bool = True
) -> list[LogEntry]:
    """List what was done with an import, newest first.

    Args:
        item: the import, as the log's operation reads it.
        events: a page of its audit events.
        is_first: whether that is the first page, on which everything else stands as well.
    """
    told = [_told_by(item, event) for event in events]
    begun = any(entry.what in _BEGINNINGS for entry in told)
    own = _told_by_import(item, with_beginning=not begun) if is_first else ()
    # Of the same moment, what is listed last has happened last.
    return sorted([*own, *reversed(told)], key=lambda entry: entry.at)[::-1]


def _told_by(item: Mapping[str, Any], event: Mapping[str, Any]) -> LogEntry:
    action = event["action"]
    others = {"IMPORT_APPLIED": item["appliedFrom"], "IMPORT_UNDONE": item["undoOf"]}
    return LogEntry(event["occurredAt"], action, event["actor"]["name"], others.get(action))


def _told_by_import(item: Mapping[str, Any], *, with_beginning: bool) -> Iterator[LogEntry]:
    """Say what an import says of itself."""
    if with_beginning:
        what = "IMPORT_CREATED"
        if item["appliedFrom"] or item["undoOf"]:
            what = "IMPORT_APPLIED" if item["appliedFrom"] else "IMPORT_UNDONE"
        other = item["appliedFrom"] or item["undoOf"]
        yield LogEntry(item["createdAt"], what, item["createdBy"]["name"], other)
    if item["startedAt"]:
        yield LogEntry(item["startedAt"], "STARTED")
    if item["hold"]:
        yield LogEntry(item["hold"]["since"], "HELD")
    if item["finishedAt"]:
        yield LogEntry(item["finishedAt"], "ENDED")
    for what, name in (("APPLIED_AS", "appliedAs"), ("UNDONE_BY", "undoneBy")):
        if other := item[name]:
            yield LogEntry(other["createdAt"], what, other["createdBy"]["name"], other)
