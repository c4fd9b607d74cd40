"""Updates: one state of an import, on its way to everybody who watches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from asyncpg import Record


class Update:
    """One state of one import; each question about it is answered once, whoever asks.

    Args:
        row: the import's row.
    """

    __slots__ = ("_answers", "row")

    def __init__(self, row: Record) -> None:
        self.row = row
        self._answers: dict[Hashable, asyncio.Task[str]] = {}

    async def answer(
        self, question: Hashable, make: Callable[[Update], Coroutine[object, object, str]]
    ) -> str:
        """Return the answer to a question.

        Args:
            question: all that the answer depends on.
            make: answers it, if nobody has asked it yet.
        """
        answer = self._answers.get(question)
        if answer is None:
            answer = self._answers[question] = asyncio.ensure_future(make(self))
        # Whoever asked first may leave; others wait for the same answer.
        return await asyncio.shield(answer)
