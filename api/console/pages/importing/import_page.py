"""What the pages of one import have in common: their heading, their tabs, and which comes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.console.pages.importing.available import available_actions
from api.console.pages.importing.progress import ProgressLine, describe_progress, done_parts
from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from api.console.language import Language
    from api.console.visit import Visit

RUNNING = ("QUEUED", "PROCESSING")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHeading:
    """What the top of each of an import's pages says beside the fields of `ImportHead`.

    Args:
        results: how many rows had which result, such as `12 created, 1 failed`.
        took: how long it ran; blank while it runs.
        mails: what became of its mails, such as `12 sent, 1 failed`; blank if it has caused none.
        progress: how far it has come; None unless it waits or runs.
    """

    results: str
    took: str
    mails: str
    progress: ProgressLine | None


async def load_import_page(visit: Visit, operation: str, **variables: Any) -> dict[str, Any]:
    """Run the operation of a tab, which has `...Frame` and `import(id: $id) { ...ImportHead }`.

    Raises:
        HttpError: there is no such import.
    """
    data = await visit.run(operation, id=visit.path("import_id"), **variables)
    if data["import"] is None:
        raise HttpError(404, "NOT_FOUND", visit.language.text("There is no such import."))
    return data


def show_import_page(
    visit: Visit, tab: str, data: dict[str, Any], status: int = 200, **values: Any
) -> Response:
    """Render a tab: `import_TAB.html`, which extends `import.html`.

    Args:
        tab: `problems`, `changes`, `rows`, `file` or `log`.
        data: from `load_import_page`; the template has `data["import"]` as `item`.
        values: what else the template is given.
    """
    item = data["import"]
    return visit.page(
        f"import_{tab}.html",
        status,
        data=data,
        item=item,
        heading=describe_heading(visit.language, item),
        actions=available_actions(visit, item),
        tab=tab,
        **values,
    )


def describe_heading(language: Language, item: dict[str, Any]) -> ImportHeading:
    """Prepare the heading of an import.

    Args:
        item: the fields of `ImportHead`.
    """
    return ImportHeading(
        results=", ".join(done_parts(language, item)),
        took=_length_of_time(language, item["startedAt"], item["finishedAt"]),
        mails=", ".join(_mail_parts(language, item["mails"])),
        progress=describe_progress(language, item) if item["status"] in RUNNING else None,
    )


def _mail_parts(language: Language, mails: Mapping[str, Any]) -> list[str]:
    """Write how many mails stand where, without those that none do."""
    plural = language.plural
    parts = {
        "sent": plural("%(n)s sent", "%(n)s sent", mails["sent"]),
        "waiting": plural("%(n)s waiting", "%(n)s waiting", mails["waiting"]),
        "failed": plural("%(n)s failed", "%(n)s failed", mails["failed"]),
        "unknown": plural("%(n)s perhaps sent", "%(n)s perhaps sent", mails["unknown"]),
    }
    found = [part for name, part in parts.items() if mails[name]]
    return found if mails["isComplete"] else [*found, language.text("and more")]


def _length_of_time(language: Language, start: str | None, end: str | None) -> str:
    if start is None or end is None:
        return ""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return language.span(max(1, seconds))
