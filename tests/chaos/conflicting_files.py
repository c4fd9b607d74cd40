"""Two files over the same pairs, and the result of each order of the two, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from tests.chaos.check import Findings, read_results
from tests.chaos.dataset import Dataset, Pair, State
from tests.chaos.known_file import HEADERS, Expected
from tests.chaos.site import Site


class Intent(NamedTuple):
    """What a file asks for, for each of its pairs."""

    type: str
    role: str = ""


INTENTS = [
    (Intent("assign", "staff"), Intent("assign", "clients")),
    (Intent("assign", "staff"), Intent("modify", "clients")),
    (Intent("assign", "staff"), Intent("remove")),
    (Intent("modify", "staff"), Intent("modify", "clients")),
    (Intent("modify", "staff"), Intent("remove")),
    (Intent("remove"), Intent("remove")),
]


class Step(NamedTuple):
    """What a row does to a pair: its result, and the assignment before and after."""

    result: Expected
    before: State | None
    after: State | None


def step(intent: Intent, before: State | None) -> Step:
    """Apply one row to a pair, by the table in docs/files.md."""
    after = None if intent.type == "remove" else State(intent.role, notify=False)
    if before == after:
        return Step(Expected("PASSED", "UNCHANGED"), before, before)
    if intent.type == "assign" and before:
        return Step(Expected("FAILED", None, ("ALREADY_ASSIGNED",)), before, before)
    if intent.type == "modify" and not before:
        return Step(Expected("FAILED", None, ("NOT_ASSIGNED",)), before, before)
    outcome = {"assign": "CREATED", "modify": "UPDATED", "remove": "REMOVED"}[intent.type]
    return Step(Expected("PASSED", outcome), before, after)


class Seen(NamedTuple):
    """What was stored for a pair: both rows' results, the changes in order, the last state."""

    results: tuple[Expected, Expected]
    changes: tuple[tuple[int, State | None, State | None], ...]
    after: State | None


def serial(intents: tuple[Intent, Intent], before: State | None, order: tuple[int, int]) -> Seen:
    """Apply one file after the other to a pair."""
    results: dict[int, Expected] = {}
    changes = []
    state = before
    for side in order:
        done = step(intents[side], state)
        results[side] = done.result
        if done.before != done.after:
            changes.append((side, done.before, done.after))
        state = done.after
    return Seen((results[0], results[1]), tuple(changes), state)


@dataclass(frozen=True, slots=True)
class ConflictingFiles:
    """Two files that ask for different things of the same pairs, in opposite orders."""

    dataset: Dataset
    intents: tuple[Intent, Intent]
    pairs: list[Pair]

    @classmethod
    def of(cls, dataset: Dataset, rows: int, random: Random) -> ConflictingFiles:
        """Choose what the files ask for, and the pairs."""
        intents = random.choice(INTENTS)
        pairs = dataset.pairs("open", random)[:rows]
        return cls(dataset, intents, sorted(pairs))

    def ordered(self, side: int) -> list[Pair]:
        """The pairs in the order of a file."""
        return self.pairs if side == 0 else self.pairs[::-1]

    def content(self, side: int) -> bytes:
        """A file as it is uploaded."""
        type_, role = self.intents[side]
        lines = [_line(type_, *pair, role) for pair in self.ordered(side)]
        return "\r\n".join([HEADERS[type_], *lines, ""]).encode()

    async def check(self, site: Site, keys: tuple[int, int], findings: Findings) -> None:
        """Check that each pair is as one order of the two files leaves it."""
        seen = await self._seen(site, keys, findings)
        for pair in self.pairs:
            before = self.dataset.present.get(pair)
            allowed = [serial(self.intents, before, order) for order in ((0, 1), (1, 0))]
            if seen.get(pair) not in allowed:
                findings.fault(f"{pair} is {seen.get(pair)}, none of {allowed}")
        findings.rows += 2 * len(self.pairs)

    async def _seen(
        self, site: Site, keys: tuple[int, int], findings: Findings
    ) -> dict[Pair, Seen]:
        results = []
        db = await site.connect()
        try:
            for side, key in enumerate(keys):
                found = await read_results(db, key)
                numbers = range(2, len(self.pairs) + 2)
                findings.count(f"result of import {key}, row", numbers, [each[0] for each in found])
                pairs = dict(zip(numbers, self.ordered(side), strict=True))
                results.append({pairs[number]: result for number, result in found})
            history = await db.fetch(
                "SELECT c.tag_id, u.tag_id, h.import_id, b.key, h.before_notify, a.key,"
                " h.after_notify FROM assignment_history h JOIN cases c ON c.id = h.case_id"
                " JOIN users u ON u.id = h.user_id LEFT JOIN roles b ON b.id = h.before_role_id"
                " LEFT JOIN roles a ON a.id = h.after_role_id WHERE h.import_id = ANY($1)"
                " ORDER BY h.id",
                list(keys),
            )
            present = await db.fetch(
                "SELECT c.tag_id, u.tag_id, r.key, a.notify FROM assignments a"
                " JOIN cases c ON c.id = a.case_id JOIN users u ON u.id = a.user_id"
                " JOIN roles r ON r.id = a.role_id WHERE c.tag_id LIKE $1 || '-%'",
                self.dataset.prefix,
            )
        finally:
            await db.close()
        changes: dict[Pair, list[tuple[int, State | None, State | None]]] = {}
        for case, user, key, *states in history:
            before, after = (_state(*states[:2]), _state(*states[2:]))
            changes.setdefault((case, user), []).append((keys.index(key), before, after))
        left = {(case, user): State(role, notify) for case, user, role, notify in present}
        missing = Expected("LOST")
        return {
            pair: Seen(
                (results[0].get(pair, missing), results[1].get(pair, missing)),
                tuple(changes.get(pair, ())),
                left.get(pair),
            )
            for pair in self.pairs
        }


def _state(role: str | None, notify: bool | None) -> State | None:
    return State(role, bool(notify)) if role else None


def _line(type_: str, case: str, user: str, role: str) -> str:
    if type_ == "remove":
        return f"{user},{case}"
    return f"{case},{user},{role},0" if type_ == "modify" else f"{case},{user},,{role},0"
