"""The log of an import."""

from __future__ import annotations

from typing import Any

from api.console.pages.importing.log import list_entries

ITEM: dict[str, Any] = {
    "createdAt": "2026-03-01T10:00:00+00:00",
    "startedAt": "2026-03-01T10:00:01+00:00",
    "finishedAt": "2026-03-01T10:00:09+00:00",
    "createdBy": {"name": "office"},
    "hold": None,
    "appliedFrom": None,
    "appliedAs": None,
    "undoOf": None,
    "undoneBy": None,
}


def event(action: str, at: str, actor: str = "office") -> dict[str, Any]:
    return {"action": action, "occurredAt": at, "actor": {"name": actor}}


def whats(*events: dict[str, Any], is_first: bool = True, **values: Any) -> list[str]:
    entries = list_entries({**ITEM, **values}, events, is_first=is_first)
    return [entry.what for entry in entries]


def test_without_the_trail() -> None:
    """A token that may only read sees what the import says of itself."""
    assert whats() == ["ENDED", "STARTED", "IMPORT_CREATED"]


def test_with_the_trail() -> None:
    """The beginning stands there once, and retries between the ends, newest first."""
    found = whats(
        event("IMPORT_RETRIED", "2026-03-01T10:00:05+00:00"),
        event("IMPORT_CREATED", ITEM["createdAt"]),
    )

    assert found == ["ENDED", "IMPORT_RETRIED", "STARTED", "IMPORT_CREATED"]


def test_chain() -> None:
    """A log names the imports that an import comes from, and those that came of it."""
    undo = {"id": "9", "name": "Back", "createdAt": "2026-03-02T00:00:00+00:00"}
    plan = {"id": "3", "name": "Plan"}
    entries = list_entries(
        {**ITEM, "appliedFrom": plan, "undoneBy": {**undo, "createdBy": {"name": "second"}}}, []
    )

    assert [(entry.what, entry.actor) for entry in entries if entry.other] == [
        ("UNDONE_BY", "second"),
        ("IMPORT_APPLIED", "office"),
    ]
    assert entries[-1].other == plan


def test_later_page() -> None:
    """Only the first page has what the import says of itself."""
    assert whats(event("IMPORT_RETRIED", "2026-01-01"), is_first=False) == ["IMPORT_RETRIED"]


def test_of_one_moment() -> None:
    """Of two events of the same moment, the trail's order holds: the newest first."""
    now = "2026-03-01T10:00:05+00:00"
    found = whats(event("IMPORT_CANCELLED", now), event("IMPORT_RELEASED", now), is_first=False)

    assert found == ["IMPORT_CANCELLED", "IMPORT_RELEASED"]
