"""Plugins say which version of the SDK they were written for, and others are not loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from importers import SDK_VERSION
from importers.sdk.version import unfit
from tests.importers.plugins.test_registry import Good, Point, loaded


@pytest.mark.parametrize("wanted", [None, "2.0", "2.3", SDK_VERSION], ids=str)
def test_fits(wanted: str | None) -> None:
    """A plugin fits an SDK of its major version and at least its minor version."""
    assert unfit(wanted, SDK_VERSION if wanted == SDK_VERSION else "2.3") is None


@pytest.mark.parametrize("wanted", ["1.9", "2.4", "3.0", "20.1"])
def test_does_not_fit(wanted: str) -> None:
    """One for another major version, or for something newer, does not."""
    assert unfit(wanted, "2.3") == (
        f"it was written for version {wanted} of the SDK, and this is 2.3"
    )


@pytest.mark.parametrize("wanted", ["", "1", "1.0.0", "new", "1.x", 1.0, "\uff11.0"])
def test_no_version(wanted: str) -> None:
    """What is no version is told."""
    assert unfit(wanted, "2.3") == f"its 'sdk' must be a version such as '2.3', not {wanted!r}"


def test_a_plugin_for_another_sdk_is_left_out(tmp_path: Path) -> None:
    """An incompatible plugin is reported, and not loaded."""

    class Newer(Good):
        sdk = "9.0"

    registry = loaded(tmp_path, "[importers.one]", Point("one", Newer))

    assert registry.importers == {}
    assert registry.plugins[0].reason == (
        f"it was written for version 9.0 of the SDK, and this is {SDK_VERSION}"
    )
