"""What commands take for the name of an import, and what for its ID."""

from __future__ import annotations

from typing import Any, cast

import pytest

from api.cli.client import ApiClient
from api.cli.failure import RefusedError
from api.cli.named import find_only_import


class ListingApi:
    """An API that has these imports, and finds all of them by any search."""

    def __init__(self, **names: str) -> None:
        self.names = names

    async def execute(self, _document: str, **_variables: str) -> dict[str, Any]:
        """List the imports, by ID."""
        time = "2026-05-04T09:30:12Z"
        nodes = [{"id": key, "name": name, "createdAt": time} for key, name in self.names.items()]
        return {"imports": {"edges": [{"node": node} for node in nodes]}}


def find(wanted: str, **names: str) -> Any:
    return find_only_import(cast("ApiClient", ListingApi(**names)), wanted)


async def test_by_name() -> None:
    """A name stands for the one import that has just it; all else is taken for an ID."""
    assert await find("May", a="May list", b="May") == "b"
    assert await find("a", a="May list", b="May") == "a"
    assert await find("may", a="May list", b="May") == "may"


async def test_ambiguous_name() -> None:
    """Where several imports have the name, none is chosen."""
    with pytest.raises(RefusedError) as refused:
        await find("May", a="May", b="June", c="May")

    assert str(refused.value) == (
        "2 imports have the name 'May'; give an ID: a of 2026-05-04T09:30 UTC, "
        "c of 2026-05-04T09:30 UTC."
    )
