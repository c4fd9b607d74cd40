"""Watching an import until it is finished or held."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.client import ApiClient, ApiLostError
from api.cli.import_summary import IMPORT_FIELDS
from api.cli.output import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from api.cli.import_summary import ImportJson

# A held import waits for people: it may be released days later.
_WATCHED_TO = ("PROCESSED", "FAILED", "CANCELLED", "HELD")
# With the growing pauses about half a minute: longer than the API takes to start again.
_MOST_TRIES = 10
_FOLLOW = "subscription ($id: ID!) { importUpdated(id: $id) { ...Fields } }"


async def watch(api: ApiClient, import_id: str) -> None:
    """Follow an import with a progress bar; Ctrl-C stops watching, not the import."""
    try:
        with _progress() as show:
            async for state in follow(api, import_id):
                show(state)
    # `asyncio.run` makes this of Ctrl-C.
    except asyncio.CancelledError:
        say("The import goes on; `caseroll imports` shows how far it is.")
        raise


async def follow(api: ApiClient, import_id: str) -> AsyncIterator[ImportJson]:
    """Yield an import's states until it is finished or held; reconnect if the connection breaks."""
    failures = 0
    while True:
        try:
            async for data in api.subscribe(_FOLLOW + IMPORT_FIELDS, id=import_id):
                failures = 0
                yield data["importUpdated"]
                if data["importUpdated"]["status"] in _WATCHED_TO:
                    return
        # Events that are lost meanwhile do no harm: a subscription begins with the present state.
        except ApiLostError:
            if failures == _MOST_TRIES:
                raise
        failures += 1
        await asyncio.sleep(min(0.1 * 2**failures, 5.0))


@contextmanager
def _progress() -> Iterator[Callable[[ImportJson], None]]:
    """Show a progress bar if stderr is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _state: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        row = bar.add_task("Queued", total=None)

        def show(state: ImportJson) -> None:
            done = state["passed"] + state["failed"] + state["cancelled"]
            description = str(state["status"]).capitalize()
            bar.update(row, total=state["total"], completed=done, description=description)

        yield show
