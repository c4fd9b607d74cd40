"""Updates: one state of an import, on its way to everybody who watches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from asyncpg import Record

    Answer: TypeAlias = str | Awaitable[str]


class Update:
    """One state of one import; each question about it is answered once, whoever asks.

    Args:
        row: the import's row.
    """

    __slots__ = ("_answers", "row")

    def __init__(self, row: Record) -> None:
        self.row = row
        self._answers: dict[Hashable, str | asyncio.Future[str]] = {}

    def answer(self, question: Hashable, make: Callable[[Update], Answer]) -> Answer:
        """Return the answer to a question, now or later.

        Args:
            question: all that the answer depends on.
            make: answers it, if nobody has asked it yet.
        """
        answer = self._answers.get(question)
        if answer is None:
            made = make(self)
            answer = made if isinstance(made, str) else asyncio.ensure_future(made)
            self._answers[question] = answer
        # Whoever asked first may leave; others wait for the same answer.
        return answer if isinstance(answer, str) else asyncio.shield(answer)
