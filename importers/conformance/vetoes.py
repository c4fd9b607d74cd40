"""Whether a validator copes with every effect, and only looks."""

from __future__ import annotations

import asyncio
import copy
import inspect
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from importers.conformance.cells import SENTENCE, is_sentence
from importers.conformance.problem import Problem
from importers.conformance.subject import describe
from importers.plugins.validator_methods import validator_problems
from importers.run.rules import RULES
from importers.sdk.changes import Applied, Difference, OwnChange
from importers.sdk.directory import RunningImport
from importers.sdk.entities import Assignment
from importers.sdk.entity_changes import AddCase, ModifyCase, entity_specimens
from importers.sdk.errors import RowError
from importers.sdk.plugin import version_problem
from importers.sdk.validator import Effect
from importers.testkit.fixture_app import WorldCountingDirectory
from importers.validation.shown_change import shown_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        """A key of no other kind."""
        return (("unheard", self.case),)

    @classmethod
    async def apply(cls, changes: Sequence[Unheard], transaction: Transaction) -> list[Applied]:
        """Do nothing."""
        return [Applied("UNCHANGED") for _ in changes]


def check_vetoes(validator: Validator, world: World) -> Iterator[Problem]:
    """Ask about effects of all kinds, by themselves and in a file of all of them."""
    yield from _check_class(validator)
    if any(validator_problems(type(validator))):
        return
    effects = list(_effects(world))
    running = RunningImport(id=1, name="kit", type="kit", rows=len(effects))
    alone = [[effect] for effect in effects]
    chunks: list[tuple[list[Effect], RunningImport | None]]
    chunks = [(each, running) for each in (effects, *alone, [])]
    # A mutation is judged alone, and belongs to no import.
    chunks += [([effect], None) for effect in effects if effect.noun in ("case", "user")]
    for chunk, of_import in chunks:
        try:
            changes = [effect.change for effect in chunk]
            prepared = asyncio.run(_prepared(validator, changes, world, of_import))
            copy.deepcopy(prepared)
        except Exception as error:
            kinds = ", ".join(sorted({type(effect.change).__name__ for effect in chunk}))
            if of_import is None:
                kinds += " by a mutation, which has no `directory.running_import`"
            what = f"it, or a copy of what it returns, fails: {describe(error)}"
            yield Problem(f"prepare, for {kinds or 'no changes'}", what, _COPE)
            return
        for effect in chunk:
            yield from _check_effect(validator, effect, prepared)


def _check_class(validator: Validator) -> Iterator[Problem]:
    kind = type(validator)
    if problem := version_problem(kind.sdk):
        yield Problem("the class", problem)
    if not (kind.__doc__ or "").strip():
        yield Problem("the class", "it has no docstring", "Say in a sentence what it refuses.")
    for fault in validator_problems(kind):
        yield Problem("the class", fault, "Caseroll would not switch it on.")


async def _prepared(
    validator: Validator, changes: Sequence[Change], world: World, running: RunningImport | None
) -> Any:
    return await validator.prepare(changes, WorldCountingDirectory(world, running_import=running))


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
        # Python would warn of a coroutine that is never awaited; `_check_class` has reported it.
        if inspect.iscoroutine(answer):
            answer.close()
        elif answer is not None:
            yield Problem(
                f"check, {where}",
                f"it returns {answer!r:.80}, which fails the row without a reason",
                "A refusal is raised: raise RowError(field, code, message).",
            )
    # Values whose classes don't compare differ from their own copies: whether these changed,
    # nothing tells.
    if before == other and prepared != before:
        yield Problem(
            f"check, {where}",
            "it changes what was prepared",
            "Only `note` may: it is called for effects that nobody has refused.",
        )
    try:
        answer = validator.note(effect, prepared)  # type: ignore[func-returns-value]
    except Exception as error:
        hint = f"Refusing is for `check`. {_COPE}"
        yield Problem(f"note, {where}", f"it fails: {describe(error)}", hint)
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
    if not is_sentence(error.message):
        what = f"the message {error.message!r:.200} is no sentence on one line"
        yield Problem(where, what, SENTENCE)


def _effects(world: World) -> Iterator[Effect]:
    """Make effects of all kinds of change, and of one that no validator knows."""
    roles = list(world.roles)
    for number, (case, user) in enumerate(product(world.cases, world.users)):
        old = Assignment(role=roles[(number + 1) % len(roles)])
        for role, rule in product(roles, RULES.values()):
            new = Assignment(role=role, notify=True)
            for change, before, after in rule.specimens(case, user, old, new):
                outcome: Outcome = "UPDATED" if after else "REMOVED"
                if before is None:
                    outcome = "CREATED"
                shown = shown_change(change)
                effect = Effect(change=shown, outcome=outcome, before=before, after=after)
                yield effect
                if before is None:
                    yield replace(effect, row=3)  # as a later row that asks for the same
    for change, outcome in entity_specimens(world.cases, world.users):
        yield Effect(change=change, outcome=outcome)
    # As mutations make them: without a Tag ID, and with a field that is cleared.
    yield Effect(
        change=AddCase(tag_id="", about="x"),
        outcome="CREATED",
        difference=Difference(before=None, after={"about": "x"}, case_id=1),
    )
    for case in world.cases:
        yield Effect(
            change=ModifyCase(case=case),
            outcome="UPDATED",
            difference=Difference(
                before={"date_opened": "2026-01-31"}, after={"date_opened": None}, case_id=case.id
            ),
        )
    yield from (Effect(change=Unheard(), outcome=each) for each in ("CREATED", "REMOVED"))
