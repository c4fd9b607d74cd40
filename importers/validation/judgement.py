"""Judgement: a validator, what it has prepared, and what it says of effects, under a guard."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import guarded_await, guarding, is_of_plugin
from importers.sdk.errors import RowError
from importers.sdk.validator import Effect, Validator
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.isolation.guard import Guard
    from importers.sdk.changes import Change
    from importers.sdk.directory import ValidatorDirectory

logger = logging.getLogger(__name__)


class BrokenValidatorError(Exception):
    """The validator has failed, and refuses what it could not judge."""


@dataclass(slots=True)
class Judgement:
    """A validator, and what it knows of the rows or the mutation that it judges.

    What it has noted of a row can be taken back: from a copy, and what has passed since.

    Args:
        is_broken: it has failed where it prepares or takes note, and refuses everything.
    """

    validator: Validator
    guard: Guard
    prepared: Any = None
    is_broken: bool = False
    _kept: Any = None
    _passed: list[Effect] | None = None

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> None:
        """Let it read what it needs; one that fails refuses everything."""
        with guarding(self.guard):
            try:
                self.prepared = await guarded_await(self.validator.prepare(changes, directory))
            except Exception as error:
                if is_passing(error) and not is_of_plugin(error):
                    raise
                key = self.validator.key
                logger.exception("validator %r can't prepare; it refuses all that it judges", key)
                self.is_broken = True

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
            self.is_broken = True

    def refusal_of(self, effect: Effect) -> RowError | None:
        """Let it judge an effect; return why it refuses.

        Raises:
            BrokenValidatorError: it could not judge it.
        """
        if self.is_broken:
            raise BrokenValidatorError
        try:
            self.guard.call(_check, self.validator, effect, self.prepared)
        except RowError as error:
            # A validator names a field of the change, as it does not know the columns of the file.
            if error.column is not None and not hasattr(effect.change, error.column):
                kind = type(effect.change).__name__
                what = f"{error.column!r:.80}, which is no field of {kind}"
                logger.exception("validator %r refuses on %s", self.validator.key, what)
                raise BrokenValidatorError from error
            return error
        except Exception as error:
            key = self.validator.key
            logger.exception("validator %r failed on %s, and refuses it", key, _place_of(effect))
            raise BrokenValidatorError from error
        return None

    def note(self, effect: Effect) -> None:
        """Let it take note; one that fails has lost count, and refuses everything from then on."""
        if self.is_broken:
            return
        try:
            self.guard.call(self.validator.note, effect, self.prepared)
        except Exception:
            key, place = self.validator.key, _place_of(effect)
            logger.exception("validator %r failed on %s, and refuses all after it", key, place)
            self.is_broken = True

    def settle(self, effects: Sequence[Effect], *, has_passed: bool) -> None:
        """Remember what a row has done, or forget what was noted of one that does not pass."""
        if self._passed is None or self.is_broken:
            return
        if has_passed:
            self._passed += effects
            return
        self.prepared = copy.deepcopy(self._kept)
        for effect in self._passed:
            self.note(effect)


def _check(validator: Validator, effect: Effect, prepared: Any) -> None:
    answer = validator.check(effect, prepared)  # type: ignore[func-returns-value]
    if answer is not None:
        raise TypeError(f"check() returned {answer!r:.200}: to refuse, raise a RowError")


def _place_of(effect: Effect) -> str:
    return f"row {effect.row}" if effect.row else "a mutation"
