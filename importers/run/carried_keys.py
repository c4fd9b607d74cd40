"""What a chunk of a chain hands on to the next one, in memory and as it is stored between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import orjson

from importers.run.planned_row import FirstMention
from importers.sdk.errors import ErrorDetail
from models.assignment import Present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from importers.run.planned_row import SeenKeys
    from importers.sdk.changes import Key
    from importers.validation.counting_directory import Counts
    from models.assignment import Edit, Pair

Verdicts: TypeAlias = Mapping["Key", Sequence[ErrorDetail]]
"""Why the rows failed that were the first to name a key; those of rows that passed are left out.

Rows that repeat such a row fail for the same reasons."""

Edits: TypeAlias = Mapping["Pair", tuple[Present | None, Present | None]]
"""How assignments were before the file has changed them, and what they have become, by pair."""

Memo: TypeAlias = dict[Any, Any]
"""What an importer's `check_chunk` remembers."""

# orjson writes no integers beyond 64 bits.
_LARGEST = 1 << 63
_SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedKeys:
    """What later chunks of a chain have to know of earlier ones.

    Args:
        seen: the keys that were named, and by which rows.
        verdicts: why those of them failed that did.
        edits: what was changed, where the importer or a validator looks at assignments.
        memo: what the importer's `check_chunk` remembers.
        unseen: effects that validators must count, and that neither the history nor `edits` show.
    """

    seen: SeenKeys = field(default_factory=dict)
    verdicts: Verdicts = field(default_factory=dict)
    edits: Edits = field(default_factory=dict)
    memo: Memo = field(default_factory=dict)
    unseen: Counts = field(default_factory=Counter)

    def after(self, verdicts: Verdicts, edits: Iterable[Edit]) -> CarriedKeys:
        """Return what is to be known once later rows have come to verdicts and edits."""
        made = {(edit.case_id, edit.user_id): (edit.before, edit.after) for edit in edits}
        return replace(self, verdicts=verdicts, edits={**self.edits, **made})

    def pack(self) -> bytes:
        """Write it down as a JSON array of four arrays.

        - A key each: `[key, row, intent, errors]`, of a key and an intent their parts, and of an
          error all fields, as in
          `[[7,12],4,["Assign",3,false],[{"code":"CASE_CLOSED","message":"…",…}]]`.
        - An edit each: `[case, user, before, after]`, both sides null or `[role, notify]`.
        - An entry of the memo each: `[key, value]`.
        - A count of unseen effects each: `["user","CREATED",7]`.
        """
        keys = [
            (key, *mention, [error.as_dict() for error in self.verdicts.get(key, ())])
            for key, mention in self.seen.items()
        ]
        edits = [
            (*pair, before and tuple(before), after and tuple(after))
            for pair, (before, after) in self.edits.items()
        ]
        unseen = [(*key, count) for key, count in self.unseen.items()]
        return orjson.dumps([keys, edits, pack_memo(self.memo), unseen])

    @classmethod
    def unpack(cls, carry: bytes | None) -> CarriedKeys:
        """Read what `pack` has written; the first chunk of a chain gets nothing."""
        # Those that were stored before there were counts have three.
        keys, edits, memo, *rest = orjson.loads(carry) if carry else ([], [], [])
        return cls(
            seen={tuple(key): FirstMention(row, tuple(intent)) for key, row, intent, _ in keys},
            verdicts={
                tuple(key): tuple(ErrorDetail(**error) for error in errors)
                for key, _, _, errors in keys
                if errors
            },
            edits={
                (case, user): (before and Present(*before), after and Present(*after))
                for case, user, before, after in edits
            },
            memo={tuple(key) if isinstance(key, list) else key: value for key, value in memo},
            unseen=Counter({(noun, outcome): n for each in rest for noun, outcome, n in each}),
        )


def pack_memo(memo: Memo) -> list[tuple[Any, Any]]:
    """Write a memo down as JSON can; keys that are tuples come back as such.

    Raises:
        TypeError: it holds something else than texts, numbers, truth values and None, in keys
            tuples of them, in values lists and tables.
    """
    # Exact types: orjson would write an enum of texts, say, and read it back as a plain text.
    for key, value in memo.items():
        parts = key if type(key) is tuple else (key,)
        is_plain = all(type(part) in _SCALARS and _is_json(part) for part in parts)
        if not (is_plain and _is_json(value)):
            raise TypeError(f"{key!r:.80}: {value!r:.80} can't be handed to the next chunk")
    return list(memo.items())


def _is_json(value: object) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_json, cast("Sequence[object]", value)))
    if isinstance(value, dict):
        return all(type(key) is str and _is_json(each) for key, each in value.items())
    if type(value) is int:
        return abs(value) < _LARGEST
    return type(value) in _SCALARS
