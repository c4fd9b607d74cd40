"""What plugins.toml says decides which importers are on, and every problem is told."""

from __future__ import annotations

import logging
import logging.config
import os
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from importers import CaseRef, Choice, Importer, Phone, Row, Validator, setting
from importers.builtin.users_per_case import UsersPerCase
from importers.plugins.plugins_file import default_path
from importers.plugins.registry import load, report
from importers.sdk.errors import ConfigError
from importers.validation.missing_validator import MissingValidator


class Idle(Importer):
    """Do nothing, with what every importer needs."""

    def change(self, row: Row) -> None:
        """Ask for nothing."""


class Good(Idle):
    """Do good."""

    label = "Good"
    case_id = CaseRef()


class Better(Good):
    """Do better."""

    label = "Better"


class NoLabel(Idle):
    case_id = CaseRef()


class Numeric(Idle):
    label = 5  # type: ignore[assignment]
    case_id = CaseRef()


class NoColumns(Idle):
    label = "No columns"


class Numbered(Idle):
    label = "Numbered"
    number = CaseRef()
    errors = CaseRef()
    Case_ID = CaseRef()


class Tuned(Good):
    """Has settings."""

    @dataclass
    class Settings:
        limit: int
        role: str = "staff"
        tags: list[str] = field(default_factory=list)
        note: str | None = None


class Fussy(Good):
    """Has settings that check themselves."""

    @dataclass
    class Settings:
        limit: int = 1

        def __post_init__(self) -> None:
            if self.limit > 9:
                raise ValueError("the setting 'limit' must be below 10")


class Listed(Good):
    """Has a column of words that its settings list."""

    title = Choice(choices=setting("titles"))

    @dataclass
    class Settings:
        titles: list[str]


END = os._exit  # what modules call, by that name, to end the process


@dataclass
class Package:
    """Stands for an installed package."""

    name: str
    version: str = "1.0"


@dataclass
class Point:
    """Stands for an entry point."""

    name: str
    loads: Any = Good
    dist: Package | None = field(default_factory=lambda: Package("acme"))
    value: str = "acme.roster:Roster"
    group: str = "caseroll.importers"

    def load(self) -> Any:
        if isinstance(self.loads, Exception):
            raise self.loads
        if self.loads is END:
            os._exit(3)
        return self.loads


OWN = Package("caseroll", version("caseroll"))


def loaded(tmp_path: Path, toml: str, *points: Point) -> Any:
    path = tmp_path / "plugins.toml"
    path.write_text(toml, encoding="utf-8")
    return load(path, found=points)  # type: ignore[arg-type]


def problems(tmp_path: Path, toml: str, *points: Point) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, toml, *points)
    return [problem.replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_a_table_switches_on(tmp_path: Path) -> None:
    """An importer is on when its table is there, even an empty one; its key is the table's name."""
    registry = loaded(tmp_path, "[importers.one]", Point("one"), Point("two", Better))
    one, two = registry.plugins

    assert list(registry.importers) == ["one"]
    assert registry.importers["one"].key == "one"
    assert (one.name, one.state, one.label, one.distribution) == ("one", "on", "Good", "acme 1.0")
    assert (two.name, two.state, two.reason) == (
        "two",
        "off",
        "plugins.toml has no table [importers.two]",
    )


def test_what_is_off_is_not_loaded(tmp_path: Path) -> None:
    """A package that nobody has switched on does not get to run any code."""
    registry = loaded(tmp_path, "", Point("one", RuntimeError("was loaded")))

    assert [plugin.state for plugin in registry.plugins] == ["off"]


def test_sorted_by_label(tmp_path: Path) -> None:
    """Importers come in the order of the menu."""
    toml = "[importers.a]\n[importers.b]\n[importers.c]"
    registry = loaded(tmp_path, toml, Point("a"), Point("b", Better), Point("c", Better))

    assert list(registry.importers) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        pytest.param(Point("odd", ImportError("no module named 'acme'")), "no module named 'acme'",
                     id="fails to import"),
        pytest.param(Point("odd", ZeroDivisionError()), "ZeroDivisionError", id="without a text"),
        pytest.param(Point("odd", END),
                     "it wants to end the process, with os._exit(3)", id="ends the process"),
        pytest.param(Point("odd", dict), "acme.roster:Roster is not an Importer class",
                     id="another class"),
        pytest.param(Point("odd", Good()), "acme.roster:Roster is not an Importer class",
                     id="no class"),
        pytest.param(Point("odd", NoLabel), "the class has no label", id="no label"),
        pytest.param(Point("odd", NoColumns), "the class has no columns", id="no columns"),
        pytest.param(Point("odd", Numeric), "its label must be a text, not 5", id="odd label"),
        pytest.param(Point("odd", Importer), "the class has no label; the class has no columns;"
                " the class says nothing of rows: it needs a method change, or every_row",
                     id="neither"),
        pytest.param(
            Point("odd", Numbered),
            "a column can't be called 'number', as rows have one: give it another name, and"
            " header='number'; "
            "a column can't be called 'errors': downloads of failed rows have one; "
            "a column can't be called 'Case_ID': use small letters, or give it a header",
            id="names that files or rows can't have",
        ),
        pytest.param(Point("odd", Tuned), "the setting 'limit' is missing", id="no settings"),
    ],
)  # fmt: skip
def test_a_broken_third_party_is_left_out(
    tmp_path: Path, point: Point, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A package's plugin that does not load is reported, and the others work."""
    registry = loaded(tmp_path, "[importers.odd]\n[importers.one]", point, Point("one", dist=OWN))
    (odd, one) = registry.plugins
    report(registry)

    assert (odd.state, odd.reason) == ("broken", reason)
    assert one.state == "on"
    assert list(registry.importers) == ["one"]
    assert [
        f"importer 'odd' is broken: {problem}." for problem in reason.split("; ")
    ] == re.findall(r"^  (.*)$", caplog.records[-1].message, re.MULTILINE)


def test_loading_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is to be said of it is for `report`, which shows where an exception came from."""
    registry = loaded(tmp_path, "[importers.odd]", Point("odd", ZeroDivisionError("no reason")))
    silent = caplog.text
    report(registry)

    assert silent == ""
    assert "importer 'odd' does not load\nTraceback" in caplog.text
    assert "in load\n" in caplog.text


class Mute(Point):
    """A package that configures logging as it is imported, for the whole process."""

    def load(self) -> Any:
        logging.config.dictConfig({"version": 1, "root": {"level": "CRITICAL"}})
        logging.disable(logging.CRITICAL)
        return super().load()


def test_loading_changes_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is said of failing rows is in the log, whatever a plugin makes of logging."""
    before = logging.getLogger().level, logging.getLogger().handlers[:]
    report(loaded(tmp_path, "[importers.mute]", Mute("mute")))
    after = logging.getLogger().level, logging.getLogger().handlers[:]
    logging.getLogger("importers.run.plan_rows").error("a row failed")

    assert [each.message for each in caplog.records] == [
        "importer 'mute' changes how this process logs; that was taken back",
        "a row failed",
    ]
    assert before == after


def test_a_broken_plugin_of_our_own_stops(tmp_path: Path) -> None:
    """Without one of its own importers Caseroll does not start, and says all that is broken."""
    toml = "[importers.odd]\n[importers.one]"
    found = [Point("one", ImportError("gone"), dist=OWN), Point("odd", dict)]

    assert problems(tmp_path, toml, *found) == [
        "plugins.toml: importer 'odd' is broken: acme.roster:Roster is not an Importer class.",
        "plugins.toml: importer 'one' is broken: gone.",
    ]


def test_nobody_offers_it(tmp_path: Path) -> None:
    """A table for which no package is installed is reported."""
    (plugin,) = loaded(tmp_path, "[importers.odd]").plugins

    assert (plugin.state, plugin.reason, plugin.distribution) == (
        "broken",
        "no installed package offers this importer",
        None,
    )


def test_two_packages_with_one_key(tmp_path: Path) -> None:
    """Two packages that offer the same key are reported, neither is chosen."""
    found = [Point("one", dist=Package("acme")), Point("one", dist=Package("zeta"))]
    registry = loaded(tmp_path, "[importers.one]", *found)

    assert [plugin.reason for plugin in registry.plugins] == [
        "two packages offer it: acme 1.0 and zeta 1.0"
    ]
    assert registry.importers == {}


@pytest.mark.parametrize("order", [1, -1], ids=["ours first", "theirs first"])
def test_another_package_with_our_key(
    tmp_path: Path, order: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a package that offers one of our own keys, ours is taken, and the other is reported."""
    found = [Point("one", dist=OWN), Point("one", Better, dist=Package("acme"))][::order]
    registry = loaded(tmp_path, "[importers.one]", *found)
    report(registry)

    assert type(registry.importers["one"]) is Good
    (status,) = registry.plugins
    assert (status.state, status.distribution) == ("on", f"{OWN.name} {OWN.version}")
    assert status.reason == "acme 1.0 offers this importer as well; Caseroll's own is taken"
    assert status.reason in caplog.text
    assert registry.problems == []


def test_another_package_with_our_key_that_is_off(tmp_path: Path) -> None:
    """Where our own is off, there is no more to say."""
    found = [Point("one", dist=OWN), Point("one", dist=Package("acme"))]
    (status,) = loaded(tmp_path, "", *found).plugins

    assert (status.state, status.reason) == ("off", "plugins.toml has no table [importers.one]")


def test_a_package_that_a_column_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An importer whose module can't make its columns says what to install."""
    monkeypatch.setattr("importers.sdk.ready_columns.phone.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        Phone(help="The number.")
    (plugin,) = loaded(tmp_path, "[importers.one]", Point("one", caught.value)).plugins

    assert (plugin.state, plugin.reason) == (
        "broken",
        "a column of phone numbers needs the package phonenumbers, which is not installed: install "
        "caseroll[phone]",
    )


def test_settings(tmp_path: Path) -> None:
    """The table fills the importer's settings class."""
    toml = '[importers.one]\nlimit = 3\ntags = ["a"]\nnote = "x"'
    settings = loaded(tmp_path, toml, Point("one", Tuned)).importers["one"].settings

    assert settings == Tuned.Settings(limit=3, role="staff", tags=["a"], note="x")


@pytest.mark.parametrize(
    ("loads", "toml", "reason"),
    [
        pytest.param(Good, "limit = 1\nrole = 'x'",
                     "it has no settings, but the table sets limit, role", id="none to set"),
        pytest.param(Tuned, "limit = 1\ncolour = 'red'", "there is no setting 'colour'",
                     id="unknown"),
        pytest.param(Tuned, "limit = 'three'", "the setting 'limit' must be int, not str 'three'",
                     id="wrong type"),
        pytest.param(Tuned, "limit = true", "the setting 'limit' must be int, not bool True",
                     id="true is no number"),
        pytest.param(Tuned, "role = 7\ncolour = 1",
                     "there is no setting 'colour'; "
                     "the setting 'role' must be str, not int 7; "
                     "the setting 'limit' is missing", id="all at once"),
        pytest.param(Listed, "titles = []",
                     "its column 'title' takes its choices from the setting 'titles': the list of "
                     "choices is empty: name one at least", id="no choices"),
        pytest.param(Fussy, "limit = 10", "the setting 'limit' must be below 10",
                     id="checked by the class"),
    ],
)  # fmt: skip
def test_wrong_settings(tmp_path: Path, loads: Any, toml: str, reason: str) -> None:
    """Settings are checked at start; each problem is named."""
    (plugin,) = loaded(tmp_path, f"[importers.one]\n{toml}", Point("one", loads)).plugins

    assert (plugin.state, plugin.reason) == ("broken", reason)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param("[importers.one", ["plugins.toml: is not TOML: "], id="not TOML"),
        pytest.param("[exporters.one]\n[plugins]",
                     ["plugins.toml: 'exporters' is unknown; tables are [importers.",
                      "plugins.toml: 'plugins' is unknown; tables are [importers."],
                     id="unknown tables"),
        pytest.param("importers = 1",
                     ["plugins.toml: 'importers' must be tables, [importers.NAME]."],
                     id="no tables"),
        pytest.param("[importers]\none = true\ntwo = 'x'",
                     ["plugins.toml: 'importers.one' must be a table, [importers.one].",
                      "plugins.toml: 'importers.two' must be a table, [importers.two]."],
                     id="values for tables"),
    ],
)  # fmt: skip
def test_a_wrong_file_stops(tmp_path: Path, toml: str, expected: list[str]) -> None:
    """A file that can't be understood stops the start, with everything that is wrong."""
    found = problems(tmp_path, toml)

    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))


def test_not_utf_8(tmp_path: Path) -> None:
    """A file in another encoding is no TOML."""
    (tmp_path / "plugins.toml").write_bytes(b"[importers.caf\xe9]")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "plugins.toml", found=[])


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there stops the start."""
    with pytest.raises(ConfigError, match="can't be read: No such file or directory"):
        load(tmp_path / "other.toml", found=[])


def test_default_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """plugins.toml of the working folder comes first, then the one that Caseroll brings."""
    monkeypatch.chdir(tmp_path)
    shipped = default_path()
    (tmp_path / "plugins.toml").touch()

    assert default_path() == tmp_path / "plugins.toml"
    assert shipped.is_file()
    assert shipped.parent != tmp_path


class Wall(Validator):
    """A wall."""

    @dataclass
    class Settings:
        limit: int = 1


def validator(name: str, loads: Any = Wall, dist: Package | None = None) -> Point:
    return Point(
        name, loads, dist or Package("acme"), "acme.wall:Wall", group="caseroll.validators"
    )


def test_validators(tmp_path: Path) -> None:
    """Validators are switched on like importers, and asked in the order of the file."""
    registry = loaded(
        tmp_path,
        "[validators.two]\nlimit = 7\n[validators.one]\n",
        validator("one"), validator("two"), validator("three"), Point("one"),
    )  # fmt: skip

    assert [(each.key, each.settings.limit) for each in registry.validators] == [
        ("two", 7), ("one", 1),
    ]  # fmt: skip
    assert [(each.kind, each.name, each.state) for each in registry.plugins] == [
        ("importer", "one", "off"),
        ("validator", "one", "on"),
        ("validator", "three", "off"),
        ("validator", "two", "on"),
    ]


class ByFile(Wall):
    """Counts by what there is not."""

    together: Any = "file"


@pytest.mark.parametrize("loads", [ImportError("gone"), Good, ByFile, None], ids=repr)
def test_a_broken_validator_lets_nothing_through(tmp_path: Path, loads: Any) -> None:
    """In the place of a validator that is switched on and does not load stands one that refuses;
    the service starts."""
    found = [validator("one", loads)] if loads else []
    registry = loaded(tmp_path, "[validators.one]\n[validators.two]", *found, validator("two"))

    assert [type(each) for each in registry.validators] == [MissingValidator, Wall]
    assert registry.validators[0].key == "one"
    assert registry.plugins[0].state == "broken"


def test_a_validator_of_our_own_with_wrong_settings_stops(tmp_path: Path) -> None:
    """Caseroll's own validators have to be set right before anything starts."""
    own = validator("users-per-case", UsersPerCase, OWN)

    assert problems(tmp_path, "[validators.users-per-case]", own) == [
        "plugins.toml: validator 'users-per-case' is broken: it limits nothing; set 'limit', or "
        "'roles'.",
    ]


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("migrations", "its migrations must be a package inside one of its own, not 'migrations'"),
        ("models.migrations",
         "its migrations must be a package inside one of its own, not 'models.migrations'"),
        ("tests.nowhere", "its migrations 'tests.nowhere' are not there"),
    ],
)  # fmt: skip
def test_wrong_migrations(tmp_path: Path, module: str, problem: str) -> None:
    """Migrations that can't be found, or would mix with Caseroll's, are told at start."""

    class Odd(Good):
        migrations = module

    (plugin,) = loaded(tmp_path, "[importers.one]", Point("one", Odd)).plugins

    assert (plugin.state, plugin.reason) == ("broken", problem)


def test_migrations(tmp_path: Path) -> None:
    """Migrations are named after the package that they are in."""

    class Fine(Good):
        migrations = "tests.plugins.rates.migrations"

    registry = loaded(
        tmp_path, "[importers.one]\n[importers.two]", Point("one", Fine), Point("two")
    )

    assert registry.migrations == {"tests_plugins_rates": "tests.plugins.rates.migrations"}


def test_the_built_ins_are_installed() -> None:
    """Caseroll's own importers are found through the same entry points as anybody's."""
    registry = load()
    own = [
        plugin for plugin in registry.plugins if plugin.distribution == f"caseroll {OWN.version}"
    ]

    assert {plugin.state for plugin in own if plugin.kind == "importer"} == {"on"}
    assert [plugin.name for plugin in own if plugin.kind == "validator"] == ["users-per-case"]
    assert [key for key in registry.importers if key in {plugin.name for plugin in own}] == [
        "add-users", "assign", "add-cases", "modify-cases", "modify-users", "modify", "remove",
        "sync",
    ]  # fmt: skip
