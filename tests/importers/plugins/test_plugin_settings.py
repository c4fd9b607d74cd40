"""Settings of plugins are checked against the types that their dataclass declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import pytest

from importers.plugins.plugin_settings import fill_settings
from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Settings:
    """One of everything."""

    name: str = "x"
    share: float = 0.5
    day: date | None = None
    tags: Sequence[str] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    mode: Literal["strict", "loose"] = "strict"
    either: int | str = 1
    walls: dict[str, list[str]] = field(default_factory=dict)
    anything: Any = None


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"name": "y", "share": 1.5},
        {"share": 1},
        {"day": date(2026, 1, 31)},
        {"tags": ["a", "b"], "limits": {"staff": 3}},
        {"mode": "loose", "either": "z", "anything": [1, "x"]},
        {"walls": {"trv-": ["jones-001"]}},
    ],
    ids=str,
)
def test_what_fits(table: dict[str, Any]) -> None:
    """Values of the declared types are taken; what the table leaves out has its default."""
    assert fill_settings(Settings, table) == Settings(**table)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"name": 7}, "the setting 'name' must be str, not int 7"),
        ({"share": "half"}, "the setting 'share' must be float, not str 'half'"),
        ({"share": True}, "the setting 'share' must be float, not bool True"),
        ({"day": "monday"}, "the setting 'day' must be date, not str 'monday'"),
        ({"tags": "a"}, "the setting 'tags' must be a list of str, not str 'a'"),
        ({"tags": ["a", 1]}, "the setting 'tags' must be a list of str, not ['a', 1]"),
        ({"limits": {"a": "b"}}, "the setting 'limits' must be a table of int, not {'a': 'b'}"),
        ({"mode": "lax"}, "the setting 'mode' must be one of 'strict', 'loose', not str 'lax'"),
        ({"either": 1.5}, "the setting 'either' must be int or str, not float 1.5"),
        (
            {"walls": {"a": "b"}},
            "the setting 'walls' must be a table of a list of str, not {'a': 'b'}",
        ),
    ],
)
def test_what_does_not(table: dict[str, Any], problem: str) -> None:
    """A value of another type is told with both types, as somebody who edits TOML calls them."""
    with pytest.raises(ConfigError) as caught:
        fill_settings(Settings, table)

    assert caught.value.problems == (problem,)


def test_no_dataclass() -> None:
    """Settings that are no dataclass are told."""
    with pytest.raises(ConfigError, match="its Settings is not a dataclass"):
        fill_settings(dict, {})


def test_types_that_are_not_there() -> None:
    """A type that is imported for type checkers alone can't be checked, and is told."""

    @dataclass
    class Rate:
        amount: Decimal | None = None

    with pytest.raises(ConfigError, match=r"name 'Decimal' is not defined; import it at run time"):
        fill_settings(Rate, {})
