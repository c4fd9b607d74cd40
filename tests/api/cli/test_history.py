"""What `caseroll history` reads and prints."""

from __future__ import annotations

from typing import Any

import pytest

from api.cli.client import ApiClient
from api.cli.failure import RefusedError
from api.cli.history import _as_line, _read_changes, _what
from tests.api.api_fixture import Api, node_id
from tests.api.schema.history.test_assignment_changes import fill

PUT, REMOVED = "put on the case as ", "removed, was "


async def lines(api: Api, token: str = "", last: int = 20, **given: str) -> list[list[Any]]:
    client = ApiClient(api.url, token or api.world.admin)
    return [list(_as_line(change))[1:] for change in await _read_changes(client, given, last)]


async def test_lines(api: Api) -> None:
    """Newest first: the case, the user, what was done, by which row of which import, by whom."""
    await fill(api)

    assert await lines(api) == [
        ["case-1", "user-1", PUT + "clients with mail", "a", 7, "admin"],
        ["case-2", "user-2", REMOVED + "staff", "b", 6, "command line"],
        ["case-1", "user-1", REMOVED + "clients with mail", "b", 5, "command line"],
        ["case-1", "user-2", PUT + "clients with mail", "a", 4, "admin"],
        ["case-1", "user-1", "staff → clients with mail", "b", 3, "command line"],
        ["case-2", "user-2", PUT + "staff", "a", 2, "admin"],
        ["case-1", "user-1", PUT + "staff", "a", 1, "admin"],
    ]
    assert await lines(api, last=1) == (await lines(api))[:1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"case": "case-2"}, [6, 2]),
        ({"case": "{case2}"}, [6, 2]),
        ({"user": "user-2"}, [6, 4, 2]),
        ({"user": "USER2@example.org"}, [6, 4, 2]),
        ({"import": "b"}, [6, 5, 3]),
        ({"import": "{a}"}, [7, 4, 2, 1]),
        ({"case": "case-1", "user": "user-1", "import": "a"}, [7, 1]),
    ],
)
async def test_choice(api: Api, given: dict[str, str], expected: list[int]) -> None:
    """Cases, users and imports go by what people call them, or by their IDs."""
    ids = await fill(api)
    wanted = {kind: ids.get(name.strip("{}"), name) for kind, name in given.items()}

    assert [line[4] for line in await lines(api, **wanted)] == expected


async def test_own_changes(api: Api) -> None:
    """Of a case that is named, what was changed of the case itself is among its changes."""
    await fill(api)
    case = (await api.data('{ case(by: {tagId: "case-1"}) { id } }'))["case"]["id"]
    change = f'updateCase(id: "{case}", input: {{status: CLOSED, dateOpened: "2026-01-02"}})'
    await api.data(f"mutation {{ {change} {{ userErrors {{ code }} }} }}")

    [first, second, *_] = await lines(api, case="case-1")

    assert first == [
        "case-1", None, "dateOpened: nothing → 2026-01-02, status: ACTIVE → CLOSED", None, None,
        "admin",
    ]  # fmt: skip
    assert second[4] == 7


def test_a_plugins_own_record() -> None:
    """It is named, with what tells it from others, and with what was changed."""
    fields = [
        {"name": "code", "before": "A", "after": "A"},
        {"name": "cents", "before": "1", "after": None},
    ]
    change = {"__typename": "EntityChange", "record": "rate", "fields": fields}

    assert _what(change) == "rate: code A, cents: 1 → nothing"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("case", "Tag ID or ID"),
        ("user", "Tag ID, e-mail address or ID"),
        ("import", "ID or name"),
    ],
)
async def test_no_such_thing(api: Api, kind: str, names: str) -> None:
    """What is not there is refused in one sentence; nor is what another app has."""
    ids = await fill(api)
    theirs = {"import": ids["theirs"]}.get(kind, ids["stranger"])

    for name in ("nothing", theirs, node_id("Import", 0)):
        with pytest.raises(RefusedError, match=f"there is no {kind} with the {names} '{name}'."):
            await lines(api, **{kind: name})
