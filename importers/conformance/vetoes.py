"""Whether a validator copes with every effect, and only looks."""

from __future__ import annotations

import asyncio
import copy
import inspect
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from importers.conformance.cells import is_code, is_sentence
from importers.conformance.problem import Problem
from importers.conformance.subject import describe
from importers.run.rules import RULES
from importers.sdk.changes import Applied, OwnChange
from importers.sdk.entities import Assignment
from importers.sdk.entity_changes import entity_specimens
from importers.sdk.errors import RowError
from importers.sdk.validator import Effect
from importers.sdk.version import version_problem
from importers.testkit.fixture_app import WorldDirectory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from importers.run.rules import Specimen
    from importers.sdk.changes import Change, Key, Outcome, Transaction
    from importers.sdk.validator import Validator
    from importers.testkit.fixture_app import World

_COPE = (
    "Validators see the effects of every import: look at what an effect is about (`effect.case`,"
    " `effect.before`, `effect.after`, each may be None) before using it, and let others pass."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard(OwnChange):
    """A kind of change that no validator knows."""

    case: str = "no case, but a text of that name"

    @property
    def keys(self) -> Sequence[Key]:
        """Nothing in particular."""
        return (("unheard", self.case),)

    @classmethod
    async def apply(cls, changes: Sequence[Unheard], transaction: Transaction) -> list[Applied]:
        """Do nothing."""
        return [Applied("UNCHANGED") for _ in changes]


def check_vetoes(validator: Validator, world: World) -> Iterator[Problem]:
    """Ask about effects of all kinds, by themselves and in a file of all of them."""
    yield from _check_class(validator)
    effects = list(_effects(world))
    chunks = [effects, *([effect] for effect in effects), []]
    for chunk in chunks:
        try:
            prepared = _prepared(validator, [effect.change for effect in chunk], world)
            copy.deepcopy(prepared)
        except Exception as error:
            kinds = sorted({type(effect.change).__name__ for effect in chunk})
            yield Problem(
                f"prepare, for {', '.join(kinds) or 'no changes'}",
                f"it, or a copy of what it returns, fails: {describe(error)}",
                _COPE,
            )
            return
        for effect in chunk:
            yield from _check_effect(validator, effect, prepared)


def _check_class(validator: Validator) -> Iterator[Problem]:
    kind = type(validator)
    if problem := version_problem(kind.sdk):
        yield Problem("the class", problem)
    if not (kind.__doc__ or "").strip():
        yield Problem("the class", "it has no docstring", "Say in a sentence what it refuses.")
    if kind.together not in (None, "case", "user"):
        yield Problem("the class", f"together is {kind.together!r}", "It is case, user or None.")
    if not inspect.iscoroutinefunction(kind.prepare):
        yield Problem("prepare", "it is no coroutine", "Write async def.")
    for name in ("check", "note"):
        if inspect.iscoroutinefunction(getattr(kind, name)):
            yield Problem(
                name, "it is a coroutine, which nobody awaits", "Read in `prepare` what it needs."
            )


def _prepared(validator: Validator, changes: Sequence[Change], world: World) -> Any:
    async def prepare() -> Any:
        return await validator.prepare(changes, WorldDirectory(world))

    return asyncio.run(prepare())


def _check_effect(validator: Validator, effect: Effect, prepared: Any) -> Iterator[Problem]:
    where = f"{effect.outcome} by {type(effect.change).__name__}"
    before, other = copy.deepcopy(prepared), copy.deepcopy(prepared)
    try:
        answer = validator.check(effect, prepared)  # type: ignore[func-returns-value]
    except RowError as error:
        yield from _check_refusal(f"check, {where}", effect.change, error)
    except Exception as error:
        yield Problem(f"check, {where}", f"it fails: {describe(error)}", _COPE)
    else:
        if answer is not None and not inspect.iscoroutine(answer):
            yield Problem(
                f"check, {where}",
                f"it returns {answer!r:.80}, which nobody looks at",
                "A refusal is raised: raise RowError(field, code, message).",
            )
        if inspect.iscoroutine(answer):
            answer.close()
    if before == other and prepared != before:
        yield Problem(
            f"check, {where}",
            "it changes what was prepared",
            "Only `note` may: it is called for effects that nobody has refused.",
        )
    yield from _check_note(f"note, {where}", validator.note, effect, prepared)


def _check_note(
    where: str, note: Callable[[Effect, Any], None], effect: Effect, prepared: Any
) -> Iterator[Problem]:
    try:
        answer = note(effect, prepared)  # type: ignore[func-returns-value]
    except Exception as error:
        yield Problem(where, f"it fails: {describe(error)}", f"Refusing is for `check`. {_COPE}")
    else:
        if inspect.iscoroutine(answer):
            answer.close()


def _check_refusal(where: str, change: Change, error: RowError) -> Iterator[Problem]:
    names = [each.name for each in fields(change)]  # type: ignore[arg-type]
    if error.column is not None and error.column not in names:
        yield Problem(
            where,
            f"it refuses on {error.column!r:.80}, which is no field of the change",
            f"Name one of {', '.join(names)}, or None: the engine finds the file's column.",
        )
    if not is_code(error.code):
        yield Problem(where, f"the code {error.code!r:.80} is not in capitals", "As in CASE_FULL.")
    if not is_sentence(error.message):
        yield Problem(
            where,
            f"the message {error.message!r:.200} is no sentence on one line",
            "Say what is wrong and what to do, and end with a full stop.",
        )


def _effects(world: World) -> Iterator[Effect]:
    """Make effects of all kinds of change, and of one that no validator knows."""
    roles = list(world.roles)
    for number, (case, user) in enumerate(product(world.cases, world.users)):
        for role in roles:
            old = Assignment(role=roles[(number + 1) % len(roles)])
            new = Assignment(role=role, notify=True)
            for rule in RULES.values():
                for specimen in rule.specimens(case, user, old, new):
                    yield from _effects_of(specimen)
    for change, outcome in entity_specimens(world.cases, world.users):
        yield Effect(change=change, outcome=outcome)
    yield from (Effect(change=Unheard(), outcome=each) for each in ("CREATED", "REMOVED"))


def _effects_of(specimen: Specimen[Any]) -> Iterator[Effect]:
    change, before, after = specimen
    outcome: Outcome = "CREATED" if before is None else "UPDATED" if after else "REMOVED"
    effect = Effect(change=change, outcome=outcome, before=before, after=after)
    yield effect
    if before is None:
        yield replace(effect, row=3)  # as a later row that asks for the same
