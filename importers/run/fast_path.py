"""Chunks of importers whose rows all ask for one plain change: settled without a plan for each.

It comes to just what planning and settling row by row would, in less time; whatever is not plain is
left to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from importers.rows.cell_reader import refusal_detail
from importers.rows.layout import Layout
from importers.run.rules import decide
from importers.run.settle import Settled, failure, note
from importers.sdk.changes import Assign
from importers.sdk.columns import Flag
from importers.sdk.importer import EveryRow, Importer
from importers.sdk.references import CaseRef, RoleRef, UserRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.rules import Verdict
    from importers.sdk.changes import Modify, Remove
    from models.assignment import Pair, Present
    from models.row import RowResult

_PLAIN: Mapping[str, type] = {"case": CaseRef, "user": UserRef, "role": RoleRef, "notify": Flag}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columnar:
    """The rows of a chunk, no two of which are about the same user on the same case.

    Args:
        places: for each field of the change the index of its column.
        pairs: what the rows without errors are about.
    """

    importer: Importer
    kind: type[Assign | Modify | Remove]
    places: Mapping[str, int]
    layout: Layout
    rows: Sequence[ReadRow]
    pairs: Sequence[Pair]

    @classmethod
    def of(cls, importer: Importer, layout: Layout, rows: Sequence[ReadRow]) -> Columnar | None:
        """Look at a chunk; None when its rows have to be taken one by one."""
        every_row = importer.every_row
        if every_row is None or not _is_plain(importer, every_row):
            return None
        names = list(importer.columns)
        places = {field: names.index(name) for field, name in every_row.columns.items()}
        case, user = places["case"], places["user"]
        pairs = [(row.values[case].id, row.values[user].id) for row in rows if not row.errors]
        if len(set(pairs)) < len(pairs) or any(row.is_context for row in rows):
            return None
        return cls(
            importer=importer,
            kind=every_row.kind,
            places=places,
            layout=layout,
            rows=rows,
            pairs=pairs,
        )

    def settle(self, present: Mapping[Pair, Present], role_keys: Mapping[int, str]) -> Settled:
        """Decide about every row.

        Args:
            present: the assignments of the pairs.
            role_keys: the app's roles by primary key.
        """
        settled = Settled([], [], [])
        case, user = self.places["case"], self.places["user"]
        role, notify = self.places.get("role"), self.places.get("notify")
        # Rows that are alike in all that `decide` looks at have the same verdict.
        known: dict[tuple[object, ...], Verdict] = {}
        pairs = iter(self.pairs)
        for row in self.rows:
            if row.errors:
                settled.results.append(failure(row, row.errors))
                continue
            pair, values = next(pairs), row.values
            before = present.get(pair)
            likeness = (
                before,
                role is not None and values[role] and values[role].id,
                notify is not None and values[notify],
                values[case].is_active,
                values[user].is_active,
            )
            verdict = known.get(likeness)
            if verdict is None:
                verdict = self._decide(values, before, role_keys)
                if verdict.outcome is None:
                    settled.results.append(self._refused(row, verdict))
                    continue
                known[likeness] = verdict
            note(settled, row, pair, before, verdict)
        return settled

    def _decide(
        self, values: Sequence[Any], before: Present | None, role_keys: Mapping[int, str]
    ) -> Verdict:
        change = self.kind(**{field: values[place] for field, place in self.places.items()})
        return decide(change, before, role_keys)

    def _refused(self, row: ReadRow, verdict: Verdict) -> RowResult:
        return failure(
            row,
            [
                refusal_detail(self.importer, error, at_fault, row, self.layout)
                for at_fault, error in verdict.refusals
            ],
        )


def _is_plain(importer: Importer, every_row: EveryRow) -> bool:
    """Tell whether any row without errors makes a change that can be carried out."""
    kind = type(importer)
    if type(every_row) is not EveryRow:
        return False
    if kind.change is not Importer.change or kind.check_chunk is not Importer.check_chunk:
        return False
    columns = {field: importer.columns[name] for field, name in every_row.columns.items()}
    if any(type(column) is not _PLAIN[field] for field, column in columns.items()):
        return False
    wanted = {"case", "user"} if every_row.kind is not Assign else set(_PLAIN)
    return wanted <= columns.keys() and all(
        columns[field].required
        or isinstance(columns[field].default, bool if field == "notify" else str)
        for field in wanted
    )
