"""Plugins of third parties, good and bad, for the API to offer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from importers import CaseRef, Column, Importer, Reader, RoleRef, Validator
from importers.plugins.plugin_reader import PluginReader
from importers.plugins.plugin_status import PluginStatus
from importers.plugins.registry import Registry
from importers.validation.missing_validator import MissingValidator
from tests.api.api_fixture import Server

HOSTILE = "<script>alert('é')</script>\"&"


class Roster(Importer):
    """Put people on matters from the roster."""

    label = "Roster"
    matter = CaseRef(required=True, example="trv-001", help="The matter.")
    seat = RoleRef(choices={"lead": "staff"}, example="lead")


class Sulking(Column[str]):
    """Wants no questions."""

    def choices_for(self, roles: Sequence[str]) -> Sequence[str] | None:
        raise RuntimeError("no choice")


class Nonsense(Importer):
    """Answers, but nothing that makes sense."""

    label = "Nonsense"
    sulking = Sulking(help="Helpful.", example="1")
    odd = Column[str](help=7, example=["x"])  # type: ignore[arg-type]
    lone = Column[str](help="\ud800\x1b[31m", example="\ud800")

    @property
    def description(self) -> str:
        raise ValueError("no words")


class Mute(Roster):
    """Gives no sample."""

    label = "Mute"
    columns: ClassVar[Any] = {"a": None}


class Sleepy(Roster):
    """Takes its time."""

    label = "Sleepy"

    @property
    def description(self) -> str:
        for _ in range(100):
            time.sleep(0.1)
        return "Too late."


class Hanging(Roster):
    """Waits where no interrupt reaches it, until it is let go."""

    label = "Hanging"
    let_go: ClassVar = threading.Event()

    @property
    def description(self) -> str:
        self.let_go.wait(60)
        return "Too late."


class Quitting(Roster):
    """Wants to end us."""

    label = "Quitting"

    @property
    def description(self) -> str:
        raise SystemExit(3)


class Hostile(Importer):
    __doc__ = HOSTILE
    label = HOSTILE
    cell = Column[str](help=HOSTILE, example=HOSTILE)
    cell.choices = (HOSTILE,)  # type: ignore[misc]


class Walls(Validator):
    """Keep walls between teams."""


class HostileValidator(Validator):
    __doc__ = HOSTILE


def registry_of(
    *importers: Importer,
    readers: Sequence[Reader] = (),
    validators: Sequence[Validator] = (),
    more: Sequence[PluginStatus] = (),
) -> Registry:
    """Make a registry in which these are on, a stand-in is broken, and there are more."""
    statuses = [_status("importer", each, each.label) for each in importers]
    statuses += [_status("reader", each) for each in readers]
    statuses += [_status("validator", each) for each in validators]
    return Registry(
        importers={each.key: each for each in importers},
        readers=[PluginReader(each) for each in readers],
        validators=validators,
        plugins=[*statuses, *more],
        path=Path("plugins.toml"),
    )


def _status(kind: Any, plugin: Any, label: str | None = None) -> PluginStatus:
    is_broken = isinstance(plugin, MissingValidator)
    return PluginStatus(
        kind=kind,
        name=plugin.key,
        state="broken" if is_broken else "on",
        problems=("No module named 'walls'",) if is_broken else (),
        label=label,
        distribution="acme 1.0",
        instance=None if is_broken else plugin,
    )


@contextmanager
def offering(server: Server, registry: Registry) -> Iterator[None]:
    """Let the API offer other plugins for a while."""
    before = server.services
    server.app.state.services = replace(before, registry=registry)
    try:
        yield
    finally:
        server.app.state.services = before
