"""Vetoes: validators look at what rows are about to do."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from importers.isolation.guard import Guard, guarded_await, guarding, is_of_plugin
from importers.rows.cell_reader import refusal_detail
from importers.rows.layout import Layout
from importers.sdk.changes import Assign, Modify, OwnChange, Remove
from importers.sdk.entities import Assignment, Case, User
from importers.sdk.errors import ErrorDetail, RowError
from importers.sdk.node_id import encode_node_id
from importers.sdk.validator import Effect, Validator
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from importers.rows.layout import Layout
    from importers.run.plan_rows import PlannedRow
    from importers.run.rules import Verdict
    from importers.run.seen_keys import SeenKeys
    from importers.sdk.changes import Change, Outcome
    from importers.sdk.directory import Directory
    from importers.sdk.entities import Role
    from importers.sdk.importer import Importer
    from models.assignment import Pair, Present

logger = logging.getLogger(__name__)

E = TypeVar("E", Case, User)

# No statement is sent while rows are judged, and PostgreSQL ends what is silent for 15 seconds.
_TOTAL_SECONDS = 10.0


class _Broken:
    """Stands for what a validator should have prepared, and has not."""


@dataclass(slots=True)
class _Hearing:
    """A validator, and what it knows of the chunk.

    What it has noted of a row can be taken back: from a copy, and what has passed since.
    """

    validator: Validator
    guard: Guard
    prepared: Any = None
    _kept: Any = None
    _passed: list[Effect] | None = None

    @property
    def is_broken(self) -> bool:
        return isinstance(self.prepared, _Broken)

    def keep(self) -> None:
        """Be ready to take back; one whose preparations can't be copied refuses every row."""
        takes_notes = type(self.validator).note is not Validator.note
        if self._passed is not None or self.is_broken or not takes_notes:
            return
        try:
            self._kept, self._passed = copy.deepcopy(self.prepared), []
        except Exception:
            key = self.validator.key
            logger.exception("what validator %r has prepared can't be copied", key)
            self.prepared = _Broken()

    def note(self, effect: Effect) -> None:
        """Let it take note; one that fails does not know any more what is so, and refuses."""
        if self.is_broken:
            return
        try:
            self.guard.call(self.validator.note, effect, self.prepared)
        except Exception:
            key = self.validator.key
            logger.exception("validator %r failed on row %d, and refuses all rows after it", key,
                             effect.row)  # fmt: skip
            self.prepared = _Broken()

    def has_passed(self, effects: Sequence[Effect]) -> None:
        """Remember what is not to be taken back any more."""
        if self._passed is not None:
            self._passed += effects

    def take_back(self) -> None:
        """Forget what was noted since the last row that has passed."""
        if self._passed is None or self.is_broken:
            return
        self.prepared = copy.deepcopy(self._kept)
        for effect in self._passed:
            self.note(effect)


@dataclass(slots=True, kw_only=True)
class Vetoes:
    """The validators' say on the rows of one chunk, in the order of the file.

    Args:
        roles: the app's roles by primary key.
    """

    importer: Importer
    layout: Layout
    roles: Mapping[int, Role]
    hearings: Sequence[_Hearing] = field(default_factory=list)

    async def prepare(
        self,
        validators: Sequence[Validator],
        changes: Sequence[Change],
        directory: Directory,
    ) -> None:
        """Let each validator read what it needs; one that fails refuses every row."""
        self.hearings = [
            _Hearing(each, Guard(f"validator {each.key!r}", total_seconds=_TOTAL_SECONDS))
            for each in validators
        ]
        for hearing in self.hearings:
            with guarding(hearing.guard):
                await self._prepare(hearing, changes, directory)

    async def _prepare(
        self, hearing: _Hearing, changes: Sequence[Change], directory: Directory
    ) -> None:
        try:
            hearing.prepared = await guarded_await(hearing.validator.prepare(changes, directory))
        except Exception as error:
            if is_passing(error) and not is_of_plugin(error):
                raise
            key = hearing.validator.key
            logger.exception("validator %r can't prepare; it refuses all rows of the chunk", key)
            hearing.prepared = _Broken()

    async def note_undone(self, claims: SeenKeys, directory: Directory) -> None:
        """Note what earlier chunks of a dry run's chain have done: it is not there any more."""
        edits = claims.edits(self.roles)
        cases = await _by_id("Case", {pair[0] for pair in edits}, directory.cases)
        users = await _by_id("User", {pair[1] for pair in edits}, directory.users)
        for (case_id, user_id), (before, after) in edits.items():
            effect = _past_effect(cases[case_id], users[user_id], before, after)
            self._note(effect)

    def judge(
        self, plan: PlannedRow, verdicts: Sequence[Verdict], present: Mapping[Pair, Present]
    ) -> list[ErrorDetail]:
        """Ask all validators about all that a row is about to do; one that refuses is enough.

        Args:
            verdicts: what would become of each of the row's changes.
        """
        effects = self._effects(plan, verdicts, present)
        if len(effects) > 1:
            for hearing in self.hearings:
                hearing.keep()
        errors, is_noted = [], False
        for effect in effects:
            errors += self._ask(effect, plan)
            if not errors:
                is_noted = True
                errors += self._note(effect)
        for hearing in self.hearings:
            if not errors:
                hearing.has_passed(effects)
            elif is_noted:
                hearing.take_back()
        return list(dict.fromkeys(errors))

    def _effects(
        self, plan: PlannedRow, verdicts: Sequence[Verdict], present: Mapping[Pair, Present]
    ) -> list[Effect]:
        effects = []
        for (keys, change), verdict in zip(plan.changes, verdicts, strict=True):
            if verdict.outcome is None or verdict.outcome.name == "UNCHANGED":
                continue
            before = None
            if not isinstance(change, OwnChange):
                before = present.get(cast("Pair", keys[0]))
            effects.append(
                Effect(
                    change=change,
                    outcome=cast("Outcome", verdict.outcome.name),
                    before=self._assignment(before),
                    after=self._assignment(verdict.after),
                    import_type=self.importer.key,
                    row=plan.row.number,
                )
            )
        return effects

    def _assignment(self, state: Present | None) -> Assignment | None:
        return state and Assignment(role=self.roles[state.role_id], notify=state.notify)

    def _ask(self, effect: Effect, plan: PlannedRow) -> list[ErrorDetail]:
        errors = []
        for hearing in self.hearings:
            if hearing.is_broken:
                errors.append(_failed(hearing.validator))
                continue
            try:
                hearing.guard.call(hearing.validator.check, effect, hearing.prepared)
            except RowError as error:
                at_fault = getattr(effect.change, error.column or "", None)
                errors.append(
                    refusal_detail(
                        self.importer,
                        RowError(None, error.code, error.message, error.suggestion),
                        at_fault,
                        plan.row,
                        self.layout,
                    )
                )
            except Exception:
                errors.append(self._log(hearing, effect))
        return errors

    def _note(self, effect: Effect) -> list[ErrorDetail]:
        for hearing in self.hearings:
            hearing.note(effect)
        return [_failed(hearing.validator) for hearing in self.hearings if hearing.is_broken]

    def _log(self, hearing: _Hearing, effect: Effect) -> ErrorDetail:
        key = hearing.validator.key
        logger.exception("validator %r failed on row %d; the row fails", key, effect.row)
        return _failed(hearing.validator)


async def _by_id(
    kind: str, ids: Collection[int], find: Callable[[Collection[str]], Awaitable[Mapping[str, E]]]
) -> dict[int, E]:
    found = await find([encode_node_id(kind, each) for each in ids]) if ids else {}
    return {entity.id: entity for entity in found.values()}


def _past_effect(
    case: Case, user: User, before: Assignment | None, after: Assignment | None
) -> Effect:
    if after is None:
        return Effect(change=Remove(case=case, user=user), outcome="REMOVED", before=before)
    change: Change
    if before is None:
        change = Assign(case=case, user=user, role=after.role, notify=after.notify)
        return Effect(change=change, outcome="CREATED", after=after)
    change = Modify(case=case, user=user, role=after.role, notify=after.notify)
    return Effect(change=change, outcome="UPDATED", before=before, after=after)


def _failed(validator: Validator) -> ErrorDetail:
    return ErrorDetail(
        code="VALIDATOR_ERROR",
        message=f"The validator '{validator.key}' failed, so the row was not let through;"
        " the worker's log says why.",
    )
