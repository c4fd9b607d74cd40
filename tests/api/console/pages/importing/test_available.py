"""What the heading of an import offers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.console.pages.importing.available import available_actions, must_be_another
from api.console.visit import Visit
from importers.sdk.node_id import encode_node_id

ITEM: dict[str, Any] = {
    "status": "PROCESSED",
    "dryRun": False,
    "atomic": False,
    "cancelRequested": False,
    "passed": 3,
    "failed": 0,
    "created": 3,
    "updated": 0,
    "removed": 0,
    "purgedAt": None,
    "hold": None,
    "appliedAs": None,
    "undoneBy": None,
    "undoRefusal": None,
    "createdBy": {"tokenId": encode_node_id("Token", 7)},
}
OTHER = {"id": "x", "name": "X"}
NOT_FINISHED = {"code": "NOT_FINISHED", "message": "…"}
TOO_LATE = {"code": "TOO_LATE", "message": "…"}


def visit(token: int = 7, *, is_admin: bool = True) -> Visit:
    context = SimpleNamespace(token=SimpleNamespace(id=token))
    return cast("Visit", SimpleNamespace(context=context, is_admin=is_admin))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param({}, ("undo",), id="finished"),
        pytest.param({"undoRefusal": TOO_LATE}, (), id="too late"),
        pytest.param({"status": "QUEUED", "undoRefusal": NOT_FINISHED}, ("cancel",), id="waits"),
        pytest.param({"status": "PROCESSING", "cancelRequested": True}, (), id="being cancelled"),
        pytest.param(
            {"status": "HELD", "hold": {"code": "REMOVES_MANY"}}, ("release", "cancel"), id="held"
        ),
        pytest.param(
            {"status": "HELD", "hold": {"code": "RELEASE_REQUIRED"}}, ("cancel",), id="own is held"
        ),
        pytest.param({"dryRun": True}, ("apply",), id="rehearsal"),
        pytest.param({"dryRun": True, "appliedAs": OTHER}, (), id="applied already"),
        pytest.param({"dryRun": True, "passed": 0}, (), id="nothing to apply"),
        pytest.param({"dryRun": True, "status": "CANCELLED"}, (), id="half a rehearsal"),
        pytest.param({"dryRun": True, "atomic": True, "failed": 1}, (), id="all or nothing"),
        pytest.param({"dryRun": True, "purgedAt": "2026-01-01"}, (), id="rows are gone"),
    ],
)
def test_names(values: dict[str, Any], names: tuple[str, ...]) -> None:
    """An import offers what the API would accept."""
    assert available_actions(visit(), {**ITEM, **values}).names == names


def test_viewer() -> None:
    """A token that may only read is offered nothing."""
    assert available_actions(visit(is_admin=False), ITEM).names == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"undoRefusal": TOO_LATE}, TOO_LATE, id="too late"),
        pytest.param({"undoRefusal": TOO_LATE, "created": 0}, None, id="nothing to take back"),
        pytest.param({"undoRefusal": TOO_LATE, "undoneBy": OTHER}, None, id="undone"),
        pytest.param({"undoRefusal": NOT_FINISHED, "status": "PROCESSING"}, None, id="runs"),
    ],
)
def test_refusal(values: dict[str, Any], expected: dict[str, str] | None) -> None:
    """Why an import can't be undone is said where it is not plain to see."""
    assert available_actions(visit(), {**ITEM, **values}).undo_refusal == expected


def test_another_token() -> None:
    """Only what has to be released by another token can't be by the one that uploaded it."""
    held = {**ITEM, "hold": {"code": "RELEASE_REQUIRED"}}

    assert must_be_another(visit(), held)
    assert not must_be_another(visit(8), held)
    assert not must_be_another(visit(), {**ITEM, "hold": {"code": "REMOVES_MANY"}})
