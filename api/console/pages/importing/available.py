"""What a visitor can do with an import as it is now."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from importers.sdk.node_id import encode_node_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.console.visit import Visit

_FINAL = ("PROCESSED", "FAILED", "CANCELLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableActions:
    """What the heading of an import offers.

    Args:
        names: of `cancel`, `release`, `apply` and `undo`, the main one first.
        undo_refusal: why what it has changed can't be taken back; blank if it can, or if there is
            nothing to take back.
        key: the idempotency key of what is done.
    """

    names: tuple[str, ...]
    undo_refusal: Mapping[str, Any] | None
    key: str


def available_actions(visit: Visit, item: Mapping[str, Any]) -> AvailableActions:
    """Say what the visitor can do with an import.

    Args:
        item: the fields of `ImportHead`.
    """
    return AvailableActions(
        names=tuple(possible_actions(visit, item)) if visit.is_admin else (),
        undo_refusal=_refusal_of_undo(item),
        key=new_key(),
    )


def possible_actions(visit: Visit, item: Mapping[str, Any]) -> list[str]:
    """Name what can be done with an import by a token like the visitor's that may change it."""
    if not is_final(item):
        is_releasable = item["hold"] is not None and not must_be_another(visit, item)
        held = ["release"] if is_releasable else []
        return [] if item["cancelRequested"] else [*held, "cancel"]
    if item["dryRun"]:
        return ["apply"] if _is_applicable(item) else []
    return ["undo"] if item["undoRefusal"] is None else []


def new_key() -> str:
    """Make an idempotency key for a form: sent twice, it does what it does once."""
    return secrets.token_urlsafe(16)


def is_final(item: Mapping[str, Any]) -> bool:
    """Tell whether an import has ended."""
    return item["status"] in _FINAL


def is_ahead(item: Mapping[str, Any]) -> bool:
    """Tell whether what an import lists as changes is still to be made."""
    return bool(item["dryRun"]) or item["status"] == "HELD"


def must_be_another(visit: Visit, item: Mapping[str, Any]) -> bool:
    """Tell whether an import is held until another token than the visitor's releases it."""
    own = encode_node_id("Token", visit.context.token.id)
    is_own = item["createdBy"]["tokenId"] == own
    return is_own and item["hold"] is not None and item["hold"]["code"] == "RELEASE_REQUIRED"


def _is_applicable(item: Mapping[str, Any]) -> bool:
    is_whole = item["status"] != "CANCELLED" and not (item["atomic"] and item["failed"])
    return bool(is_whole and item["passed"] and not item["appliedAs"] and not item["purgedAt"])


def _refusal_of_undo(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return why changes can't be taken back; the heading says itself which import has done so."""
    has_changes = any(item[name] for name in ("created", "updated", "removed"))
    if item["dryRun"] or item["undoneBy"] or not has_changes or not is_final(item):
        return None
    refusal: Mapping[str, Any] | None = item["undoRefusal"]
    return refusal
