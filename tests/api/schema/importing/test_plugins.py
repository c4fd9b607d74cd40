"""What the API says of plugins: those that are on, off or broken, and those that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli.plugins import importers
from importers.builtin.assign import AssignUsers
from importers.plugins.plugin_status import PluginStatus
from importers.sdk.validator import Validator
from importers.validation.missing_validator import MissingValidator
from tests.api.api_fixture import Api
from tests.api.third_party_plugins import (
    Hanging,
    Mute,
    Nonsense,
    Quitting,
    Roster,
    Sleepy,
    Walls,
    offering,
    registry_of,
)
from tests.importers.reading.isolated.hostile_readers import Endless, Lines

TYPES = """
query ($state: [PluginState!]) {
  importTypes(state: $state) {
    key label description state problems distribution
    columns { name required description example choices } sampleTemplate { filename content }
  }
}
"""
READERS = "{ readers { key description state problems distribution } }"
VALIDATORS = "{ validators { key description state problems distribution } }"
OFF = PluginStatus(
    kind="importer", name="off", state="off", problems=("no table",), distribution="acme 1.0"
)
BROKEN = PluginStatus(kind="importer", name="broken", state="broken", problems=("one", "t\ud800"))
OFF_VALIDATOR = PluginStatus(kind="validator", name="a-off", state="off", problems=("no table",))
REGISTRY = registry_of(
    Roster("roster"),
    AssignUsers("assign"),
    validators=[Walls("walls"), MissingValidator("broken-walls")],
    more=[BROKEN, OFF, OFF_VALIDATOR],
)


async def types(api: Api, *importers: Any) -> dict[str, Any]:
    """Ask for the types while these are on."""
    with offering(api.server, registry_of(*importers)):
        data = await api.data(TYPES)
    return {each["key"]: each for each in data["importTypes"]}


@pytest.mark.parametrize(
    ("states", "keys"),
    [
        pytest.param({}, ["assign", "roster"], id="not said"),
        pytest.param({"state": None}, ["assign", "roster"], id="null"),
        pytest.param({"state": ["ON"]}, ["assign", "roster"], id="on"),
        pytest.param({"state": ["OFF"]}, ["off"], id="off"),
        pytest.param(
            {"state": ["BROKEN", "OFF", "ON"]}, ["assign", "roster", "broken", "off"], id="all"
        ),
        pytest.param({"state": []}, [], id="none"),
    ],
)
async def test_states(api: Api, states: dict[str, Any], keys: Sequence[str]) -> None:
    """Types in the states that are asked for, else those that are on, come sorted by label."""
    with offering(api.server, REGISTRY):
        data = await api.data(TYPES, states)

    assert keys == [each["key"] for each in data["importTypes"]]


async def test_what_columns_name(api: Api) -> None:
    """A column of Tag IDs says of what; others name nothing."""
    with offering(api.server, REGISTRY):
        data = await api.data("{ importTypes { key columns { name names } } }")
    [assign] = [each for each in data["importTypes"] if each["key"] == "assign"]

    assert {column["name"]: column["names"] for column in assign["columns"]} == {
        "case_id": ["CASE"],
        "user_id": ["USER"],
        "case_role_order": [],
        "case_role_id": [],
        "case_notify": [],
    }


async def test_other_columns(api: Api) -> None:
    """A type says whether it ignores columns that are not its own."""

    class Report(Roster):
        label = "Report"
        other_columns = "ignore"

    with offering(api.server, registry_of(Roster("roster"), Report("report"))):
        data = await api.data("{ importTypes { key ignoresOtherColumns } }")

    found = {each["key"]: each["ignoresOtherColumns"] for each in data["importTypes"]}
    assert found == {"roster": False, "report": True}


async def test_type_that_is_not_on(api: Api) -> None:
    """A type that is off or broken has its key for a label, and says why it is not on."""
    with offering(api.server, REGISTRY):
        data = await api.data(TYPES, {"state": ["BROKEN", "OFF"]})
    broken, off = data["importTypes"]

    assert broken == {
        "key": "broken",
        "label": "broken",
        "description": "Not offered.",
        "state": "BROKEN",
        "problems": ["one", "t?"],
        "distribution": None,
        "columns": [],
        "sampleTemplate": {"filename": "broken_sample.csv", "content": ""},
    }
    assert (off["state"], off["problems"], off["distribution"]) == (
        "OFF",
        ["no table"],
        "acme 1.0",
    )


async def test_validators(api: Api) -> None:
    """Validators come in the order in which they are asked, then those that are off."""
    with offering(api.server, REGISTRY):
        data = await api.data(VALIDATORS)

    assert [tuple(each.values()) for each in data["validators"]] == [
        ("walls", "Keep walls between teams.", "ON", [], "acme 1.0"),
        ("broken-walls", "", "BROKEN", ["No module named 'walls'"], "acme 1.0"),
        ("a-off", "", "OFF", ["no table"], None),
    ]


async def test_readers(api: Api) -> None:
    """Readers come in the order in which they are asked, then those that are not on."""
    broken = PluginStatus(kind="reader", name="a-broken", state="broken", problems=("gone",))
    registry = registry_of(readers=[Lines("lines"), Endless("endless")], more=[broken])
    with offering(api.server, registry):
        told = await api.data(READERS)
        viewer = await api.data(READERS, token=api.world.viewer)

    reads = "Reads JSON arrays, one on each line, the first element the number of the row."
    assert [tuple(each.values()) for each in told["readers"]] == [
        ("lines", reads, "ON", [], "acme 1.0"),
        ("endless", reads, "ON", [], "acme 1.0"),
        ("a-broken", "", "BROKEN", ["gone"], None),
    ]
    assert [each["problems"] for each in viewer["readers"]] == [[]] * 3


async def test_who_may_know_why(api: Api) -> None:
    """A viewer sees the state of a plugin, but not the text of its errors."""
    with offering(api.server, REGISTRY):
        found = await api.data(TYPES, {"state": ["BROKEN", "OFF"]}, api.world.viewer)
        asked = await api.data(VALIDATORS, token=api.world.viewer)

    states = [each["state"] for each in [*found["importTypes"], *asked["validators"]]]
    problems = [each["problems"] for each in [*found["importTypes"], *asked["validators"]]]
    assert states == ["BROKEN", "OFF", "ON", "BROKEN", "OFF"]
    assert problems == [[]] * 5


async def test_registry_that_is_replaced(api: Api) -> None:
    """What is asked for later is answered by the plugins that are on then."""
    before = await types(api, Roster("one"))
    after = await types(api, Roster("two"))

    assert (list(before), list(after)) == (["one"], ["two"])


async def test_good_plugin(api: Api) -> None:
    """A third party's plugin is described as Caseroll's own are."""
    roster = (await types(api, Roster("roster")))["roster"]

    assert (roster["label"], roster["state"]) == ("Roster", "ON")
    assert roster["description"] == "Put people on matters from the roster."
    assert [tuple(column.values()) for column in roster["columns"]] == [
        ("matter", True, "The matter.", "trv-001", None),
        ("seat", False, "", "lead", ["lead"]),
    ]
    assert roster["sampleTemplate"]["content"] == "matter,seat\r\ntrv-001,lead\r\n"


async def test_nonsense(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Of what a plugin can't say there is a line in the log with its name; the rest is there."""
    found = await types(api, Nonsense("nonsense"), Roster("roster"))

    assert found["nonsense"]["description"] == ""
    assert [tuple(column.values()) for column in found["nonsense"]["columns"]] == [
        ("sulking", False, "Helpful.", "1", None),
        ("odd", False, "7", "['x']", None),
        ("lone", False, "?\ufffd[31m", "?", None),
    ]
    assert found["roster"]["columns"][0]["name"] == "matter"
    assert [record.getMessage() for record in caplog.records] == [
        "importer 'nonsense' fails when it is asked for: description",
        "importer 'nonsense' fails when it is asked for: choices of column sulking",
    ]


async def test_sample_that_fails(api: Api) -> None:
    """A sample that a plugin can't write is empty, and no download."""
    with offering(api.server, registry_of(Mute("mute"))):
        data = await api.data('{ sampleTemplate(type: "mute") { content } }')
        status, body, _ = await api.get("/files/samples/mute_sample.csv")

    assert data == {"sampleTemplate": {"content": ""}}
    assert status == 500
    assert b"PLUGIN_ERROR" in body


@pytest.mark.parametrize("plugin", [Sleepy, Quitting])
async def test_plugin_that_does_not_return(
    api: Api, plugin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin that takes long, or wants to end the process, is left alone; others are answered."""
    found = await types(api, plugin("bad"), Roster("roster"))

    assert found["bad"]["description"] == ""
    assert found["bad"]["columns"][0]["name"] == "matter"
    assert found["roster"]["description"] == "Put people on matters from the roster."
    assert "importer 'bad' fails when it is asked for: description" in caplog.text


async def test_plugin_that_hangs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a plugin that can't be stopped."""
    monkeypatch.setattr("api.schema.importing.plugin_descriptions._PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(Hanging, "let_go", threading.Event())
    try:
        found = await types(api, Hanging("hanging"))
    finally:
        Hanging.let_go.set()

    assert found["hanging"]["description"] == ""


async def test_validator_that_fails(api: Api) -> None:
    """A validator that can't say what it does is listed."""

    class Odd(Walls):
        @property
        def description(self) -> str:
            raise KeyError("what")

    odd: Validator = Odd("odd")
    with offering(api.server, registry_of(validators=[odd])):
        data = await api.data(VALIDATORS)

    assert [(each["key"], each["description"]) for each in data["validators"]] == [("odd", "")]


def test_terminals_are_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """`caseroll importers` prints what plugins say, and no control of a terminal."""
    status = PluginStatus(
        kind="importer", name="odd", state="broken", problems=("\x1b]0;x\x07\ud800",)
    )
    monkeypatch.setattr("api.cli.plugins.load", lambda _: registry_of(more=[status]))

    for options in ([], ["--json"]):
        result = CliRunner().invoke(importers, options, standalone_mode=False)
        assert (result.return_value, result.exception) == (1, None)
        assert "\ufffd]0;x\ufffd?" in result.output
        assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("broken", "The import type 'broken' is broken: one; t?."),
        (
            "off",
            "The import type 'off' is installed, but switched off: plugins.toml has no table"
            " [importers.off].",
        ),
        ("nothing", "There is no such import type; there are: roster, assign."),
    ],
)
async def test_an_upload_as_a_type_that_is_not_on(api: Api, key: str, message: str) -> None:
    """It says that the type is broken, and why; or off; or which types there are."""
    with offering(api.server, REGISTRY):
        payload = await api.upload(b"a,b\r\n1,2\r\n", type=key)

    assert [
        each["message"] for each in payload["userErrors"] if each["code"] == "UNKNOWN_TYPE"
    ] == [message]
