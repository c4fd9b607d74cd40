"""What plugins say of themselves, as plain values: exceptions in their code end here."""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from api.language import translator
from importers.isolation.guard import Guard
from importers.plugins.sample_file import sample_csv
from importers.sdk.references import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from importers.plugins.plugin_status import Kind
    from importers.sdk.columns import Column
    from importers.sdk.importer import Importer
    from importers.sdk.reader import Reader
    from importers.sdk.validator import Validator

logger = logging.getLogger(__name__)

_CALL_SECONDS = 1.0
_TOTAL_SECONDS = 3.0
# The guard can't stop code that waits outside of Python, so the request stops waiting after this.
_PATIENCE_SECONDS = 5.0
_NOUNS = frozenset({"case", "user"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Threads of their own, so that plugins that hang hold up other descriptions and nothing else.
_threads = ThreadPoolExecutor(4, thread_name_prefix="description")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDescription:
    """What a column says of itself; it has no choices when its cells may hold more than a list.

    Args:
        names: what its cells may name, `case` or `user`.
        separator: what stands between several choices of a cell; None if a cell holds one.
    """

    name: str
    required: bool = False
    help: str = ""
    example: str | None = None
    choices: tuple[str, ...] | None = None
    names: frozenset[str] = frozenset()
    separator: str | None = None


class PluginDescription:
    """Asks a plugin about itself.

    Caseroll's own plugins answer at once. Others answer in another thread, so that they hold up no
    request but their own, and are stopped when they take too long.

    Args:
        key: what plugins.toml calls it.
    """

    def __init__(self, kind: Kind, key: str, plugin: Importer | Reader | Validator) -> None:
        self._name = f"{kind} {key!r}"
        self._plugin: Any = plugin

    async def text(self) -> str:
        """Say what it does; empty when it does not say."""
        answers = await self._ask({"description": lambda: plain(self._plugin.description)})
        return self._translated(str(answers.get("description", "")))

    def _translated(self, text: str) -> str:
        """Return what the plugin says, in the language of the request."""
        return translator().text(text, type(self._plugin))

    async def _ask(self, questions: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """Ask all questions; one that fails has no answer, but a line in the log."""
        answers: dict[str, Any] = {}
        if type(self._plugin).__module__.startswith("importers."):
            self._answer(questions, answers)
            return answers
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(_threads, self._answer, questions, answers)
        try:
            await asyncio.wait_for(asked, _PATIENCE_SECONDS)
        except TimeoutError:
            left = ", ".join(questions.keys() - answers.keys())
            logger.warning("%s does not come back when it is asked for: %s", self._name, left)
        # A copy: a thread that was given up may still add to the original.
        return dict(answers)

    def _answer(self, questions: Mapping[str, Callable[[], Any]], answers: dict[str, Any]) -> None:
        guard = Guard(self._name, call_seconds=_CALL_SECONDS, total_seconds=_TOTAL_SECONDS)
        for what, question in questions.items():
            try:
                answers[what] = guard.call(question)
            except Exception:
                logger.exception("%s fails when it is asked for: %s", self._name, what)

    async def columns(self, roles: Sequence[str]) -> list[ColumnDescription]:
        """Describe an importer's columns; one that says nothing has its name.

        Args:
            roles: the keys of the app's roles.
        """
        questions: dict[str, Callable[[], Any]] = {}
        own: Mapping[str, Column[Any]] = self._plugin.columns
        for name, column in own.items():
            questions[f"column {name}"] = partial(_describe, column)
            questions[f"choices of column {name}"] = partial(_choices, column, roles)
        answers = await self._ask(questions)
        described = [answers.get(f"column {name}", ColumnDescription(name=name)) for name in own]
        return [
            replace(
                column,
                help=self._translated(column.help),
                choices=answers.get(f"choices of column {name}"),
            )
            for name, column in zip(own, described, strict=True)
        ]

    async def sample(self) -> str | None:
        """Write an importer's sample file; None when it can't be written."""
        answers = await self._ask({"sample file": lambda: _encodable(sample_csv(self._plugin))})
        return answers.get("sample file")


def plain(value: object) -> str:
    """Make text of any value: without terminals' control characters and what UTF-8 can't encode."""
    return _CONTROL.sub("\ufffd", _encodable(str(value)))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _describe(column: Column[Any]) -> ColumnDescription:
    return ColumnDescription(
        name=column.public_name,
        required=bool(column.required),
        help=plain(column.help),
        example=None if column.example is None else plain(column.example),
        names=_NOUNS & column._may_name if isinstance(column, Reference) else frozenset(),
        separator=column._separator(),
    )


def _choices(column: Column[Any], roles: Sequence[str]) -> tuple[str, ...] | None:
    choices = column.choices_for(list(roles))
    return None if choices is None else tuple(plain(choice) for choice in choices)
